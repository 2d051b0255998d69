import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeProcessLock } from './process-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of a process', () => {
  it('is held by one, told to others by its process id, and free again once released', async () => {
    const file = join(folder, 'lock.json');
    const first = await takeProcessLock(file);

    expect(await takeProcessLock(file)).toMatchObject({ kind: 'held', by: { pid: process.pid } });
    if (first.kind === 'taken') await first.lock[Symbol.asyncDispose]();
    const second = await takeProcessLock(file);

    expect(second.kind).toBe('taken');
  });

  it.each([
    ['a dead process', JSON.stringify({ pid: 2 ** 22 - 1, startTime: '1' })],
    ['an earlier process of the same id', JSON.stringify({ pid: process.pid, startTime: 'long ago' })],
    ['nobody, being empty', ''],
  ])('is taken over from %s', async (_, text) => {
    const file = join(folder, 'lock.json');
    await writeFile(file, text);

    expect((await takeProcessLock(file)).kind).toBe('taken');
    expect(readdirSync(folder)).toEqual(['lock.json']);
  });

  it('is taken by exactly one of many that find it stale at once', async () => {
    const file = join(folder, 'lock.json');
    await writeFile(file, '{"pid":4194303,"startTime":"1"}');

    const all = await Promise.all(Array.from({ length: 8 }, () => takeProcessLock(file)));

    expect(all.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
  });
});
