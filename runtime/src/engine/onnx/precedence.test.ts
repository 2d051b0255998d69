import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { findPrecedence } from './precedence.ts';

const BEHIND_FRONT = Math.min(19, getPriority() + 5);
const isLinux = process.platform === 'linux';

/** A process of some threads, that says when it has them. */
function startProcess(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("here")'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return child;
}

/** Of every thread. */
async function nicenessesOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(threads.map(id => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8')));
  // After the name, which may hold anything, the 17th field.
  return stats.map(stat => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
}

function mayRaise(): boolean {
  const own = getPriority();
  try {
    setPriority(own - 1);
  } catch {
    return false;
  }
  setPriority(own);
  return true;
}

test.skipIf(!isLinux)('who is awaited stands behind the front with every thread', async () => {
  const child = startProcess();

  findPrecedence().giveWay(child.pid!, true);
  await once(child.stdout!, 'data');

  const nicenesses = await nicenessesOf(child.pid!);
  expect(nicenesses.length).toBeGreaterThan(1);
  expect(new Set(nicenesses)).toEqual(new Set([BEHIND_FRONT]));
});

test.skipIf(!isLinux)('who is not stands behind all until it is, where that can be taken back', async () => {
  const child = startProcess();
  const precedence = findPrecedence();

  precedence.giveWay(child.pid!, false);
  await once(child.stdout!, 'data');
  const before = await nicenessesOf(child.pid!);
  await precedence.catchUp(child.pid!);
  const after = await nicenessesOf(child.pid!);

  expect(new Set(before)).toEqual(new Set([mayRaise() ? 19 : BEHIND_FRONT]));
  expect(new Set(after)).toEqual(new Set([BEHIND_FRONT]));
});

test('nothing is thrown for a process that is gone, and our own priority stays', async () => {
  const own = getPriority();
  const child = startProcess();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const precedence = findPrecedence();

  expect(() => precedence.giveWay(child.pid!, false)).not.toThrow();
  await expect(precedence.catchUp(child.pid!)).resolves.toBeUndefined();
  expect(getPriority()).toBe(own);
});
