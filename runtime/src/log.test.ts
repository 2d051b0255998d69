import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeAsyncLog } from './log.ts';

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-log-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('lines that wait are written whole and in order when the log is closed', async () => {
  const file = join(await temporary(), 'log');
  const log = makeAsyncLog({ component: 'x' }, { dest: file, mostBytes: 1 << 20 });

  for (let n = 0; n < 500; n++) log.info({ n }, 'something happened');
  await log[Symbol.asyncDispose]();

  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map(line => JSON.parse(line).n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  expect(log.dropped).toBe(0);
});

test.skipIf(process.platform === 'win32')(
  'with nobody who reads, a log waits for nothing, keeps little, counts the rest and can be closed',
  async () => {
    const path = join(await temporary(), 'pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    // Whoever reads never does.
    const reader = await open(path, 'r+');
    onTestFinished(() => reader.close());
    const log = makeAsyncLog({}, { dest: path, mostBytes: 20_000 });

    for (let round = 0; round < 50; round++) {
      for (let n = 0; n < 100; n++) log.info({ round, n }, 'something happened that nobody reads of');
      await new Promise(resolve => setImmediate(resolve));
    }

    expect(log.dropped).toBeGreaterThan(3000);
    await log[Symbol.asyncDispose]();
    // Lets go of the write that still hangs.
    await reader.read(Buffer.alloc(1 << 20));
  },
);
