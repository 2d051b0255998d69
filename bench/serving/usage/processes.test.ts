import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { descendants, usageOf } from './processes.ts';

/** Starts a child that works for a while, then says so and lives on. */
const WORKER = `
  const { spawn } = require('node:child_process');
  spawn('sleep', ['60']);
  const until = performance.now() + 300;
  while (performance.now() < until);
  process.stdout.write('done');
`;

test.skipIf(process.platform !== 'linux')('knows what a process used, and whom it started', async () => {
  const child = spawn(process.execPath, ['-e', WORKER], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');

  const usage = usageOf([child.pid!]);
  const below = descendants(process.pid);

  expect(usage.cpuUs).toBeGreaterThan(50_000);
  expect(usage.cpuUs).toBeLessThan(30_000_000);
  expect(usage.residentBytes).toBeGreaterThan(10 * 2 ** 20);
  expect(descendants(child.pid!)).toHaveLength(1);
  expect(below).toEqual(expect.arrayContaining([child.pid, ...descendants(child.pid!)]));
});

test('counts nothing of a process that is gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');

  expect(usageOf([child.pid!])).toEqual({ cpuUs: 0, residentBytes: 0 });
});
