import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { systemClock } from '../clock.ts';
import { engineContract } from './engine.contract.ts';
import { ratioArithmetic } from './memory/arithmetic.fixture.ts';
import { memoryEngines } from './memory/index.ts';
import { scriptedEngine } from './scripted.fixture.ts';
import type { Tensors } from './tensor.ts';
import { WatchedEngine } from './watched.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-engine-'));
  await writeFile(join(folder, 'ratio.json'), JSON.stringify(ratioArithmetic()));
  await writeFile(join(folder, 'broken.json'), 'not a model');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

engineContract('watched', async () => ({
  start: async signal => new WatchedEngine(await memoryEngines()(signal), systemClock),
  files: { ratio: join(folder, 'ratio.json'), broken: join(folder, 'broken.json') },
}));

test('an engine is idle since its last answer, and not while anything is aboard', async () => {
  const clock = steppedClock();
  const scripted = scriptedEngine();
  const mayAnswer = Promise.withResolvers<Tensors>();
  scripted.onInfer = () => mayAnswer.promise;
  const engine = new WatchedEngine(scripted, clock);
  await clock.advance(100);
  expect(engine.idleMs).toBe(100);

  const answers = [engine.infer(new Map(), 1000), engine.beat(new Map(), 1000)];
  const idle = engine.idle();
  await clock.advance(100);
  expect(engine.idleMs).toBe(0);
  mayAnswer.resolve(new Map());
  await Promise.all([...answers, idle]);
  await clock.advance(30);

  expect(engine.idleMs).toBe(30);
  expect(engine.answers).toBe(1);
});
