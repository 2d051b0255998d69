import { availableParallelism, cpus } from 'node:os';
import { expect, test } from 'vitest';
import { startController } from './controller.fixture.ts';
import { startProcess } from './main.fixture.ts';

test('a runtime says at its start what it found of processors, what it made of them, and why', async () => {
  await using controller = await startController();

  const { logs } = await startProcess(controller.address);

  const said = logs.filter(({ msg }) => msg === 'processors are shared out');
  expect(said).toEqual([
    expect.objectContaining({
      level: 30,
      found: expect.objectContaining({ machine: cpus().length, usable: availableParallelism() }),
      loadsAtOnce: expect.any(Number),
      engineThreads: 1,
      engines: 1,
      why: expect.stringContaining('a load takes one'),
    }),
  ]);
  expect(said[0]!['loadsAtOnce']).toBeLessThanOrEqual(availableParallelism());
});
