import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { objectOf } from './artifact.contract.ts';
import { type StoreWorld, storeWorld } from './store.fixture.ts';
import { nthObject, type Point } from './store.process.fixture.ts';

const PROCESS = fileURLToPath(new URL('./store.process.fixture.ts', import.meta.url));
const MEGA = 2 ** 20;
const never = new AbortController().signal;

/** Starts the process, waits until it says `word`, then for so long, and kills it with no chance to clean up. */
async function killed(args: readonly string[], word: string, afterMs = 0): Promise<void> {
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.on('data', chunk => {
    said += String(chunk);
  });
  while (!said.includes(word) && child.exitCode === null)
    await Promise.race([once(child.stdout, 'data'), exited]);
  await new Promise(resolve => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
}

/** A world whose store is closed, so that another process may use its folder. */
async function closedWorld(): Promise<StoreWorld> {
  const it = await storeWorld();
  await it.store[Symbol.asyncDispose]();
  return it;
}

/** Every file under a digest, whole and right. */
async function wholeObjects({ directory }: StoreWorld): Promise<number> {
  const entries = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const files = entries.filter(entry => entry.isFile());
  for (const { parentPath, name } of files)
    expect(objectOf(await readFile(join(parentPath, name))).digest).toBe(name);
  return files.length;
}

describe('a store whose process is killed', () => {
  it.each<[Point, number, number]>([
    ['before the first byte', 8 * MEGA, 0],
    ['in the middle', 8 * MEGA, 4 * MEGA],
    ['in the middle', 1000, 0],
    ['behind the last byte', 8 * MEGA, 8 * MEGA],
  ])('%s of %i bytes has no object, and goes on with %i', async (point, sizeBytes, from) => {
    await using it = await closedWorld();
    const { object, bytes } = nthObject(0, sizeBytes);
    await killed([it.directory, String(sizeBytes), point], 'reached');
    expect(await wholeObjects(it)).toBe(0);
    expect(await it.names('incoming')).toHaveLength(1);

    await it.reopen();

    expect(await it.names('incoming')).toHaveLength(from > 0 ? 1 : 0);
    it.bytes = bytes;
    const path = await it.store.ensure(object, never);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await it.names('incoming')).toEqual([]);
    expect(await it.names('quarantine')).toEqual([]);
  });

  it('at any moment holds whole objects alone, and every one that it said it had', async () => {
    await using it = await closedWorld();
    let before = 0;
    for (const afterMs of [0, 4, 11]) {
      await killed([it.directory, String(200_000), 'never'], `kept ${before}\n`, afterMs);
      const objects = await wholeObjects(it);
      expect(objects).toBeGreaterThan(before);
      before = objects - 1;
    }

    await it.reopen();

    expect(await it.names('incoming')).toEqual([]);
    expect(await it.names('quarantine')).toEqual([]);
  });
});
