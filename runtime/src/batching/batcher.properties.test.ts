import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SteppedClock, settled, steppedClock } from '../clock.fixture.ts';
import { engineError, type ScriptedEngine, scriptedEngine } from '../engine/scripted.fixture.ts';
import type { Tensors } from '../engine/tensor.ts';
import { answerOf, OPTIONS, valuesOf, work } from './batcher.fixture.ts';
import { Batcher } from './batcher.ts';

const MAX_BATCH = 8;
const CODES = ['E_DEADLINE', 'E_OVERLOADED', 'E_ENGINE_DIED', 'E_INTERNAL', 'E_MODEL_NOT_READY'];

const seat = fc.integer({ min: 0, max: 1 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      rows: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
        fc.integer({ min: 9, max: 30 }),
      ),
      alone: fc.boolean(),
      priority: fc.integer({ min: 0, max: 2 }),
      allowedMs: fc.constantFrom(5, 100, Number.POSITIVE_INFINITY),
      isPoisoned: fc.boolean(),
      isLeaving: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), seat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), seat }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attach' as const), seat }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 60) }) },
);

/** An engine whose runs end when a test says how. Negative values are poison. */
class Run {
  readonly engine: ScriptedEngine = scriptedEngine();
  readonly aboard: { inputs: Tensors; end: PromiseWithResolvers<Tensors> }[] = [];

  constructor(saw: (values: number[]) => void) {
    this.engine.onInfer = inputs => {
      const end = Promise.withResolvers<Tensors>();
      saw(valuesOf(inputs));
      this.aboard.push({ inputs, end });
      return end.promise;
    };
  }

  answer(): void {
    const run = this.aboard.shift();
    if (run === undefined) return;
    if (valuesOf(run.inputs).some(value => value < 0)) run.end.reject(engineError('E_INTERNAL'));
    else run.end.resolve(new Map([['ratio', run.inputs.get('numerator')!]]));
  }

  die(): void {
    for (const { end } of this.aboard.splice(0)) end.reject(engineError('E_ENGINE_DIED'));
  }
}

test('whatever befalls its engines, each request is told once, of its own rows, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 10), async (steps, waitMs) => {
      const clock: SteppedClock = steppedClock();
      const runs: (Run | null)[] = [null, null];
      let started = 0;
      const saw = (values: number[]): void => {
        started++;
        expect(values.length).toBeLessThanOrEqual(MAX_BATCH);
      };
      const queue = new Batcher({ ...OPTIONS, engines: 2, waitMs, outageMs: 50, clock });
      const told: Promise<void>[] = [];
      let next = 1;

      for (const one of steps) {
        if (one.kind === 'ask') {
          const values = Array.from({ length: one.rows }, () => next++);
          if (one.isPoisoned) values[values.length - 1] = -values.at(-1)!;
          const caller = { isGone: false };
          const deadline = clock.elapsed() + one.allowedMs;
          const { alone, priority } = one;
          told.push(
            queue.submit(work(values, { alone, priority, deadline, caller })).then(
              ran => expect(answerOf(ran)).toEqual(values),
              error => expect(CODES).toContain(error.code),
            ),
          );
          if (one.isLeaving) await settled();
          caller.isGone = one.isLeaving;
        } else if (one.kind === 'answer') {
          runs[one.seat]?.answer();
          await settled();
        } else if (one.kind === 'die') {
          runs[one.seat]?.die();
          if (runs[one.seat] !== null) queue.detach(one.seat);
          runs[one.seat] = null;
          await settled();
        } else if (one.kind === 'attach') {
          if (runs[one.seat] !== null) continue;
          runs[one.seat] = new Run(saw);
          queue.attach(one.seat, runs[one.seat]!.engine);
        } else await clock.advance(one.ms);
      }

      for (const index of [0, 1]) {
        if (runs[index] !== null) continue;
        runs[index] = new Run(saw);
        queue.attach(index, runs[index]!.engine);
      }
      await clock.advance(50);
      for (let before = -1; before !== started; ) {
        before = started;
        for (const run of runs) while (run!.aboard.length > 0) run!.answer();
        await settled();
        await clock.advance(20);
      }
      await Promise.all(told);
      await queue.idle();
      expect(queue.describe()).toMatchObject({ waitingRequests: 0, waitingRows: 0 });
    }),
    { numRuns: 200 },
  );
});
