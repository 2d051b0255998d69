import { describe, expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { engineError } from '../engine/scripted.fixture.ts';
import { answerOf, dividing, OPTIONS, patient, work } from './batcher.fixture.ts';
import { Batcher } from './batcher.ts';

test('those who went together have one object in common, and nobody else has it', async () => {
  const batcher = new Batcher(OPTIONS);
  batcher.attach(0, dividing());

  const [one, other] = await Promise.all([batcher.submit(work([1])), batcher.submit(work([2, 3]))]);
  const later = await batcher.submit(work([4]));
  const inParts = await batcher.submit(work(Array(20).fill(5)));

  expect([one.batchRows, other.batchRows]).toEqual([3, 3]);
  expect(one.batch).toBeDefined();
  expect(other.batch).toBe(one.batch);
  expect(later.batch).toBeDefined();
  expect(later.batch).not.toBe(one.batch);
  expect(inParts.batch).toBeUndefined();
});

describe('behind another batch', () => {
  test('the rest of it is one part of the time, and the own run another', async () => {
    const clock = steppedClock();
    const batcher = new Batcher({ ...OPTIONS, clock });
    const { engine, answer } = patient();
    batcher.attach(0, engine);
    const first = batcher.submit(work([1]));
    await clock.advance(3);
    const second = batcher.submit(work([2]));
    await clock.advance(2);

    await answer();
    await clock.advance(7);
    await answer();

    expect(await first).toMatchObject({ queueMs: 0, batchMs: 0, runMs: 5 });
    expect(await second).toMatchObject({ queueMs: 0, batchMs: 2, runMs: 7 });
  });

  test('it is over when the other fails, too', async () => {
    const clock = steppedClock();
    const batcher = new Batcher({ ...OPTIONS, clock });
    const { engine, answer } = patient();
    const { onInfer } = engine;
    let asked = 0;
    engine.onInfer = async (inputs, timeoutMs) => {
      const isFirst = asked++ === 0;
      const outputs = await onInfer(inputs, timeoutMs);
      if (isFirst) throw engineError('E_INTERNAL');
      return outputs;
    };
    batcher.attach(0, engine);
    const first = expect(batcher.submit(work([1]))).rejects.toMatchObject({ code: 'E_INTERNAL' });
    await clock.advance(1);
    const second = batcher.submit(work([2]));
    await clock.advance(4);

    await answer();
    await clock.advance(7);
    await answer();

    await first;
    expect(await second).toMatchObject({ batchMs: 4, runMs: 7 });
  });

  test('a request in parts adds up to all of its time', async () => {
    const clock = steppedClock();
    const batcher = new Batcher({ ...OPTIONS, clock });
    const { engine, answer } = patient();
    batcher.attach(0, engine);
    const first = batcher.submit(work([1]));
    await clock.advance(1);
    const inParts = batcher.submit(work(Array(20).fill(5)));
    await clock.advance(4);
    for (let batch = 0; batch < 4; batch++) {
      await answer();
      await clock.advance(10);
    }

    expect(answerOf(await first)).toEqual([1]);
    expect(await inParts).toMatchObject({ queueMs: 0, batchMs: 4, runMs: 30 });
  });
});
