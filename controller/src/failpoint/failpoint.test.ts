import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memoryLedger } from '../ledger/memory/index.ts';
import { failpointOfFile, PLACES, through } from './failpoint.ts';
import { failpoints } from './failpoints.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-failpoint-'));
  file = join(folder, 'armed');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('there are at least twenty places', () => {
  expect(new Set(PLACES).size).toBeGreaterThanOrEqual(20);
});

test('without the word of a test every port is left as it is', () => {
  const ledger = memoryLedger();

  expect(failpoints({}, 'refs/switchback/history').ledger(ledger)).toBe(ledger);
});

test('an armed place fails once, at the time it is armed for, and takes its file away', async () => {
  const reach = failpointOfFile(file);
  const done: string[] = [];
  const act = () => through(reach, 'rollback.push', async () => void done.push('pushed'));
  await act();
  writeFileSync(file, 'after rollback.push: throw 2\n');

  await act();
  await expect(act()).rejects.toThrow('A test made this fail after rollback.push.');
  await act();

  expect(done).toHaveLength(4);
  expect(existsSync(file)).toBe(false);
});

test('what stands before a deed keeps it from being done', async () => {
  writeFileSync(file, 'before rollback.push: throw');
  let isDone = false;

  const acted = through(failpointOfFile(file), 'rollback.push', async () => {
    isDone = true;
  });

  await expect(acted).rejects.toThrow('before rollback.push');
  expect(isDone).toBe(false);
});

test('what is armed wrongly does nothing', async () => {
  writeFileSync(file, 'rollback.push: explode');

  await expect(through(failpointOfFile(file), 'rollback.push', async () => 'done')).resolves.toBe('done');
});

test('kill ends the very process, without another line of it', () => {
  writeFileSync(file, 'before rollback.push: kill');
  const program = `
    import { failpointOfFile } from ${JSON.stringify(new URL('./failpoint.ts', import.meta.url).href)};
    await failpointOfFile(process.argv[1])('before rollback.push');
    console.log('still here');
  `;

  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, file], {
    encoding: 'utf8',
  });

  expect([signal, stdout]).toEqual(['SIGKILL', '']);
});
