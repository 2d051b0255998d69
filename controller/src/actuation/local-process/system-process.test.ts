import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { choosePort } from './port.ts';
import { endProcess, identityOf, isAlive, killProcess, startTimeOf } from './system-process.ts';

/** Listens on a free port, says which, and has more threads than one. */
const LISTENER = `require('node:net').createServer().listen(0, '127.0.0.1', function () {
  require('node:fs').readFile(process.execPath, () => {});
  console.log(this.address().port);
})`;

test.each(['linux', 'darwin'] as const)(
  'a process has one start time for life, as told on %s',
  async platform => {
    const first = await startTimeOf(process.pid, platform);

    expect(first).toMatch(/\d/);
    expect(await startTimeOf(process.pid, platform)).toBe(first);
    expect(await startTimeOf(process.ppid, platform)).toMatch(/\d/);
    expect(await startTimeOf(2 ** 22 + 1, platform)).toBeNull();
  },
);

test('a pid with another start time is another process, and is left in peace', async () => {
  const other = { pid: process.pid, startTime: 'another' };

  expect(await isAlive(other)).toBe(false);
  expect(await killProcess(other, systemClock)).toBe(true);
});

test('a killed process counts as gone only once its port is free again', async () => {
  for (let round = 0; round < 12; round++) {
    const { child, port, identity } = await listener();
    const exited = once(child, 'exit');

    const isGone = await killProcess(identity, systemClock);
    const chosen = await choosePort({ host: '127.0.0.1', remembered: port, claimed: new Set() });
    await exited;

    expect([isGone, chosen]).toEqual([true, port]);
  }
});

test('a stopped process outlasts being asked to end, also when the grace is cut short, but not being killed', async () => {
  const { child, identity } = await listener();
  const exited = once(child, 'exit');
  child.kill('SIGSTOP');

  const began = performance.now();
  const isCut = await endProcess(identity, { graceMs: 60_000, clock: systemClock, isCut: () => true });
  const isOver = await endProcess(identity, { graceMs: 100, clock: systemClock, isCut: () => false });
  const isKilled = await killProcess(identity, systemClock);
  await exited;

  expect([isCut, isOver, isKilled]).toEqual([false, false, true]);
  expect(performance.now() - began).toBeLessThan(5000);
});

async function listener() {
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(line), identity: (await identityOf(child.pid!))! };
}
