import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type SteppedClock, settled, steppedClock } from '../clock.fixture.ts';
import { engineError } from '../engine/scripted.fixture.ts';
import { SwitchbackError } from '../error.ts';
import {
  answerOf,
  dividing,
  OPTIONS,
  outcomes,
  type PatientEngine,
  patient,
  valuesOf,
  work,
} from './batcher.fixture.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';

interface Queueing extends PatientEngine {
  queue: Batcher;
  clock: SteppedClock;
}

/** A batcher on a clock that stands still, with one engine that answers when it is told to. */
function queueing(options: Partial<BatcherOptions> = {}): Queueing {
  const clock = steppedClock();
  const queue = new Batcher({ ...OPTIONS, clock, ...options });
  const one = patient();
  queue.attach(0, one.engine);
  onTestFinished(() => queue.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.')));
  return { queue, clock, ...one };
}

/** Two batches of one row are aboard, and later ones wait. */
async function busy(options: Partial<BatcherOptions> = {}): Promise<Queueing & { aboard: Promise<unknown> }> {
  const made = queueing(options);
  const aboard = [made.queue.submit(work([-1]))];
  await settled();
  aboard.push(made.queue.submit(work([-2])));
  await settled();
  expect(made.seen).toEqual([[-1], [-2]]);
  return { ...made, aboard: Promise.all(aboard) };
}

describe('what waits', () => {
  test('is told that its deadline passed while the engine is still busy, and never begun', async () => {
    const { queue, clock, seen, finish } = await busy();
    const asked = outcomes([
      queue.submit(work([1], { deadline: 50 })),
      queue.submit(work([2], { deadline: 500 })),
    ]);

    let first: unknown;
    void asked.then(all => {
      first = all;
    });
    await clock.advance(60);
    expect(queue.describe().waitingRequests).toBe(1);
    await finish();

    expect(await asked).toEqual(['E_DEADLINE', [2]]);
    expect(first).toBeDefined();
    expect(seen).toEqual([[-1], [-2], [2]]);
  });

  test('says how long it waited and how long it might have', async () => {
    const { queue, clock } = await busy();
    await clock.advance(100);
    const refused = expect(queue.submit(work([1], { deadline: 150 }))).rejects.toMatchObject({
      message: expect.stringMatching(/^It waited 50 ms, longer than the 50 ms the request may take/),
      details: { waitedMs: 50, allowedMs: 50 },
    });

    await clock.advance(60);

    await refused;
    await expect(queue.submit(work([1], { deadline: 160 }))).rejects.toMatchObject({ code: 'E_DEADLINE' });
  });

  test('is told no more than ten milliseconds late, whatever deadlines pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 30 }),
        async all => {
          const { queue, clock } = await busy();
          const late: number[] = [];
          const told = all.map(deadline =>
            queue.submit(work([1], { deadline })).catch(() => void late.push(clock.elapsed() - deadline)),
          );

          await clock.advance(220);
          await Promise.all(told);

          expect(late).toHaveLength(all.length);
          expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...late)).toBeLessThanOrEqual(10);
          queue.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.'));
        },
      ),
      { numRuns: 20 },
    );
  });

  test('is not begun for a caller that is gone', async () => {
    const { queue, seen, finish } = await busy();
    const caller = { isGone: false };
    const asked = outcomes([queue.submit(work([1], { caller })), queue.submit(work([2]))]);

    caller.isGone = true;
    await finish();

    expect(await asked).toEqual(['E_DEADLINE', [2]]);
    expect(seen.flat()).not.toContain(1);
  });

  test('goes by priority, then by deadline, then by arrival', async () => {
    const { queue, seen, finish } = await busy({ limits: { maxBatch: 1, timeoutMs: 5000 } });
    const asked = [
      queue.submit(work([1])),
      queue.submit(work([2], { priority: 2, deadline: 900 })),
      queue.submit(work([3], { priority: 2, deadline: 800 })),
      queue.submit(work([4], { priority: 1 })),
      queue.submit(work([5], { priority: 1 })),
    ];

    await finish();
    await Promise.all(asked);

    expect(seen.slice(2).flat()).toEqual([4, 5, 3, 2, 1]);
  });

  test('with a deadline does not go before what came long before it without one', async () => {
    const { queue, clock, seen, finish } = await busy({ limits: { maxBatch: 1, timeoutMs: 200 } });
    const asked = [queue.submit(work([1]))];
    await clock.advance(150);
    asked.push(queue.submit(work([2], { deadline: 400 })));

    await finish();
    await Promise.all(asked);

    expect(seen.slice(2).flat()).toEqual([1, 2]);
  });
});

describe('a queue that is too long', () => {
  /** Teaches that a batch takes 10 ms. */
  async function taught(options: Partial<BatcherOptions> = {}): Promise<Queueing> {
    const made = queueing({ capacityRows: 1000, ...options });
    for (let batch = 0; batch < 20; batch++) {
      const answer = made.queue.submit(work([1]));
      await settled();
      await made.clock.advance(10);
      await made.answer();
      await answer;
    }
    return made;
  }

  test('refuses who would only wait for a deadline, and says when to come again', async () => {
    const { queue, finish } = await taught();
    const waiting = Array.from({ length: 80 }, () => queue.submit(work([1])));
    await settled();

    const now = 200;
    await expect(queue.submit(work([1], { deadline: now + 50 }))).rejects.toMatchObject({
      code: 'E_OVERLOADED',
      details: { retryAfterMs: 80 },
    });
    waiting.push(queue.submit(work([1], { deadline: now + 90 })));
    waiting.push(queue.submit(work([1], { deadline: now + 50, priority: 1 })));
    expect(queue.describe()).toMatchObject({ waitingRequests: 66, waitingRows: 66, drainPerSecond: 800 });
    await finish();
    await Promise.all(waiting);
  });

  test('refuses nobody by what it learned before an idle time', async () => {
    const { queue, clock, finish } = await taught();
    await clock.advance(5000);
    const waiting = Array.from({ length: 80 }, () =>
      queue.submit(work([1], { deadline: clock.elapsed() + 20 })),
    );

    await finish();

    expect((await outcomes(waiting)).every(Array.isArray)).toBe(true);
  });

  test('refuses nobody for a single slow batch', async () => {
    const { queue, clock, answer, finish } = await taught();
    const slow = queue.submit(work([1]));
    await settled();
    await clock.advance(2000);
    await answer();
    await slow;

    const waiting = Array.from({ length: 80 }, () =>
      queue.submit(work([1], { deadline: clock.elapsed() + 120 })),
    );
    await finish();

    expect((await outcomes(waiting)).every(Array.isArray)).toBe(true);
  });
});

describe('a request of more rows than a batch may have', () => {
  const many = Array.from({ length: 100 }, (_, row) => row);

  test('is answered whole, in the order of its rows', async () => {
    const queue = new Batcher(OPTIONS);
    queue.attach(0, dividing());

    const ran = await queue.submit(work(many));

    expect(answerOf(ran)).toEqual(many);
    expect(ran.batchRows).toBe(8);
  });

  test('lets others in between its parts', async () => {
    const { queue, seen, answer, finish } = queueing();
    const large = queue.submit(work(many));
    await settled();
    const small = queue.submit(work([-1]));
    let isAnswered = false;
    void small.then(() => {
      isAnswered = true;
    });

    for (let batch = 0; batch < 3; batch++) await answer();

    expect(isAnswered).toBe(true);
    expect(seen.length).toBeLessThan(7);
    await finish();
    expect(answerOf(await large)).toEqual(many);
  });

  test('fails with the first of its parts that fails, and the others are not begun', async () => {
    const engine = dividing();
    const divide = engine.onInfer;
    engine.onInfer = (inputs, timeoutMs) =>
      valuesOf(inputs).includes(20) ? Promise.reject(engineError('E_INTERNAL')) : divide(inputs, timeoutMs);
    const queue = new Batcher(OPTIONS);
    queue.attach(0, engine);

    await expect(queue.submit(work(many))).rejects.toMatchObject({ code: 'E_INTERNAL' });

    await queue.idle();
    expect(engine.asked.length).toBeLessThan(6);
    expect(queue.describe().waitingRows).toBe(0);
  });

  test('counts as waiting with all its rows, and none are left of it once it is over', async () => {
    const { queue, seen, finish } = queueing();
    const large = queue.submit(work(many));
    await expect(queue.submit(work([1]))).rejects.toMatchObject({ code: 'E_OVERLOADED' });
    await settled();
    expect(queue.describe().waitingRows).toBe(100 - 2 * 8);

    await finish();
    await large;

    expect(queue.describe().waitingRows).toBe(0);
    expect(seen).toHaveLength(13);
  });

  test('takes no second engine with it: of several, one at a time has a part of it', async () => {
    const [first, second] = [patient(), patient()];
    const queue = new Batcher({ ...OPTIONS, engines: 2 });
    queue.attach(0, first.engine);
    queue.attach(1, second.engine);
    const large = outcomes([queue.submit(work(many))]);
    await settled();

    expect([...first.seen, ...second.seen]).toHaveLength(1);
    while (first.seen.length + second.seen.length < 13) await Promise.all([first.answer(), second.answer()]);
    await Promise.all([first.finish(), second.finish()]);

    expect(await large).toEqual([many]);
  });

  test('misses its deadline as a whole', async () => {
    const { queue, clock, seen, answer } = queueing();
    const large = outcomes([queue.submit(work(many, { deadline: 50 }))]);
    await settled();
    await answer();
    await clock.advance(60);
    await answer();
    await answer();

    expect(await large).toEqual(['E_DEADLINE']);
    expect(seen.length).toBeLessThan(5);
    expect(queue.describe().waitingRows).toBe(0);
  });
});

describe('several engines', () => {
  function pair(options: Partial<BatcherOptions> = {}) {
    const [first, second] = [patient(), patient()];
    const queue = new Batcher({ ...OPTIONS, engines: 2, ...options });
    queue.attach(0, first.engine);
    queue.attach(1, second.engine);
    return { queue, first, second };
  }

  test('share what came in one turn, and the one with fewer rows aboard gets the next', async () => {
    const { queue, first, second } = pair({ limits: { maxBatch: 64, timeoutMs: 5000 } });
    const asked = Array.from({ length: 32 }, (_, value) => queue.submit(work([value])));
    await settled();
    expect([first.seen, second.seen].map(([batch]) => batch?.length)).toEqual([16, 16]);

    await second.answer();
    asked.push(queue.submit(work([100])));
    await settled();

    expect(second.seen.at(-1)).toEqual([100]);
    await Promise.all([first.finish(), second.finish()]);
    await Promise.all(asked);
  });

  test('go on without one that is lost: what waits goes to the other, and what was aboard is told', async () => {
    const { queue, first, second } = pair({ limits: { maxBatch: 1, timeoutMs: 5000 } });
    first.engine.onInfer = () => Promise.reject(engineError('E_ENGINE_DIED'));
    const asked = outcomes([1, 2, 3, 4, 5].map(value => queue.submit(work([value]))));
    await settled();
    queue.detach(0);

    await second.finish();

    const all = await asked;
    expect(all.filter(one => one === 'E_ENGINE_DIED').length).toBeLessThanOrEqual(2);
    expect(all.filter(Array.isArray).length).toBeGreaterThanOrEqual(3);
    expect(second.seen).toHaveLength(all.filter(Array.isArray).length);
  });
});

describe('an idle engine', () => {
  /** A dozen callers that ask again a moment after each answer, of a graph whose batches take 40 ms of any size. */
  async function callers(waitMs: number) {
    const clock = steppedClock();
    const engine = dividing();
    const divide = engine.onInfer;
    let turn = Promise.resolve();
    engine.onInfer = async (inputs, timeoutMs) => {
      turn = turn.then(() => clock.sleep(40 + 0.01 * valuesOf(inputs).length));
      await turn;
      return divide(inputs, timeoutMs);
    };
    const queue = new Batcher({ ...OPTIONS, limits: { maxBatch: 64, timeoutMs: 5000 }, waitMs, clock });
    queue.attach(0, engine);
    onTestFinished(() => queue.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.')));
    const took: number[] = [];
    const lingers = new Set<string>();
    let isCalling = true;
    const all = Array.from({ length: 12 }, async (_, index) => {
      while (isCalling) {
        await clock.sleep(1 + index / 3);
        const { queueMs, runMs } = await queue.submit(work([index]));
        lingers.add(queue.describe().linger.why);
        took.push(queueMs + runMs);
      }
    });
    await clock.advance(3000);
    isCalling = false;
    await clock.advance(200);
    await Promise.all(all);
    return { meanMs: took.reduce((sum, ms) => sum + ms, 0) / took.length, answers: took.length, lingers };
  }

  test('waits a bounded time for others where that makes all faster, and says why it does', async () => {
    const [without, withWait] = [await callers(0), await callers(5)];

    expect([...without.lingers]).toEqual(['off']);
    expect(withWait.lingers).toContain('gain');
    expect(withWait.meanMs).toBeLessThan(without.meanMs * 0.8);
    expect(withWait.answers).toBeGreaterThan(without.answers * 1.2);
  });
});

describe('a slow engine', () => {
  test('is not thought slower for what a staged batch waits behind the one before it', async () => {
    const { queue, clock, answer } = queueing();
    for (let batch = 0; batch < 8; batch++) {
      const asked = [queue.submit(work([1]))];
      await settled();
      asked.push(queue.submit(work([2])));
      await settled();
      for (const one of asked) {
        await clock.advance(10);
        await answer();
        await one;
      }
    }

    expect(queue.describe().drainPerSecond).toBeCloseTo(800);
  });

  test('gets no second batch that is not full: others may come to share it', async () => {
    const { queue, clock, seen, answer, finish } = queueing();
    for (let batch = 0; batch < 20; batch++) {
      const asked = Array.from({ length: 1 + (batch % 4) }, () => queue.submit(work([1])));
      await settled();
      await clock.advance(40);
      await answer();
      await Promise.all(asked);
    }
    expect(queue.describe().cost?.fixedMs).toBeCloseTo(40);
    const before = seen.length;

    const asked: Promise<unknown>[] = [];
    for (let index = 0; index < 4; index++) {
      asked.push(queue.submit(work([index])));
      await settled();
    }
    expect(seen.slice(before)).toEqual([[0]]);
    await finish();
    await Promise.all(asked);

    expect(seen.slice(before)).toEqual([[0], [1, 2, 3]]);
  });

  test('gets a second batch at once when most of its time would go into rows, and never one of more than pays', async () => {
    const limits = { maxBatch: 64, timeoutMs: 5000 };
    const { queue, clock, seen, answer, finish } = queueing({ limits, capacityRows: 1000 });
    for (let batch = 0; batch < 40; batch++) {
      const values = Array.from({ length: 1 + (batch % 5) }, (_, row) => row);
      const asked = queue.submit(work(values));
      await settled();
      await clock.advance(1 + 4 * values.length);
      await answer();
      await asked;
    }
    expect(queue.describe().cost).toMatchObject({
      fixedMs: expect.closeTo(1),
      perRowMs: expect.closeTo(4),
    });
    const before = seen.length;

    const asked = [queue.submit(work([1]))];
    await settled();
    asked.push(...Array.from({ length: 40 }, (_, row) => queue.submit(work([row]))));
    await settled();
    // A batch of its own cost 1 ms and of 4 ms a row loses less than 2 % to it from 13 rows on.
    expect(seen.slice(before).map(values => values.length)).toEqual([1, 13]);
    await finish();
    await Promise.all(asked);
  });
});
