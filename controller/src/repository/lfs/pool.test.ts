import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forAll, pool } from './pool.ts';

const never = new AbortController().signal;

describe('pool', () => {
  it('never runs more at once than it has places, and runs all, whichever fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 20 }),
        async (places, fails) => {
          const shared = pool(places);
          let running = 0;
          let most = 0;
          const work = async (isFailing: boolean): Promise<void> => {
            most = Math.max(most, ++running);
            await new Promise(resolve => setImmediate(resolve));
            running--;
            if (isFailing) throw new Error('failed');
          };

          const outcomes = await Promise.allSettled(
            fails.map(isFailing => shared.run(() => work(isFailing), never)),
          );

          expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(fails);
          expect(most).toBe(Math.min(places, fails.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('forgets who gave up waiting and keeps the place for the others', async () => {
    const shared = pool(1);
    const first = Promise.withResolvers<void>();
    const impatient = new AbortController();
    const held = shared.run(() => first.promise, never);
    const givenUp = shared.run(async () => 'never', impatient.signal);
    const patient = shared.run(async () => 'done', never);

    impatient.abort(new Error('enough'));
    await expect(givenUp).rejects.toThrow('enough');
    first.resolve();

    await held;
    expect(await patient).toBe('done');
    expect(await shared.run(async () => 'free again', never)).toBe('free again');
  });
});

describe('forAll', () => {
  it('stops the others at the first failure and waits until they have ended', async () => {
    const ended: number[] = [];

    const all = forAll(
      [1, 2, 3],
      async (item, signal) => {
        if (item === 2) throw new Error('second');
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
        ended.push(item);
        signal.throwIfAborted();
      },
      never,
    );

    await expect(all).rejects.toThrow('second');
    expect(ended).toEqual([1, 3]);
  });
});
