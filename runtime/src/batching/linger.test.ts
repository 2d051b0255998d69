import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';
import { type LingerQuestion, linger } from './linger.ts';

const positive = (max: number) => fc.double({ min: 0.001, max, noNaN: true });
const questions: fc.Arbitrary<LingerQuestion & { curve: { fixedMs: number; perRowMs: number } }> = fc.record({
  mostMs: fc.oneof(fc.constant(0), positive(200)),
  rows: fc.integer({ min: 1, max: 70 }),
  mostRows: fc.constant(64),
  rowsPerMs: fc.oneof(fc.constant(0), positive(10)),
  curve: fc.record({ fixedMs: positive(300), perRowMs: positive(5) }),
  leftMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), positive(500)),
});

/** Everybody's times added up, of those who are there and those who come within `ms`. */
function timeOfAll(
  { rows, rowsPerMs, curve }: LingerQuestion & { curve: { fixedMs: number; perRowMs: number } },
  ms: number,
  goesAtOnce: boolean,
): number {
  const take = (n: number): number => curve.fixedMs + curve.perRowMs * n;
  const come = rowsPerMs * ms;
  const missed = (come * ms) / 2;
  if (goesAtOnce) return rows * take(rows) + come * (take(rows) + take(come)) - missed;
  return (rows + come) * (ms + take(rows + come)) - missed;
}

describe('an idle engine', () => {
  test('waits only where the time of all together is less for it, and never longer than it may', () => {
    fc.assert(
      fc.property(questions, question => {
        const { ms, why } = linger(question);

        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(question.mostMs);
        expect(why === 'gain').toBe(ms > 0);
        if (ms === 0) return;
        expect(timeOfAll(question, ms, false)).toBeLessThan(timeOfAll(question, ms, true));
        expect(question.rows + question.rowsPerMs * ms).toBeLessThanOrEqual(question.mostRows + 1e-6);
        expect(question.leftMs).toBeGreaterThan(ms);
      }),
      { numRuns: 1000 },
    );
  });

  test('waits as long as gains most, where it may', () => {
    fc.assert(
      fc.property(questions, fc.double({ min: 0.1, max: 3, noNaN: true }), (question, times) => {
        const free = { ...question, mostMs: 1e6, mostRows: 1e6, leftMs: Number.POSITIVE_INFINITY };
        const { ms } = linger(free);
        fc.pre(ms > 0);

        const gainOf = (wait: number): number => timeOfAll(free, wait, true) - timeOfAll(free, wait, false);

        expect(gainOf(ms)).toBeGreaterThanOrEqual(gainOf(ms * times) - 1e-6 * Math.abs(gainOf(ms)));
      }),
    );
  });

  test('waits for others in front of a graph whose batches cost more than its rows', () => {
    const heavy = { mostMs: 5, rows: 1, mostRows: 64, rowsPerMs: 2, leftMs: 200 };

    expect(linger({ ...heavy, curve: { fixedMs: 20, perRowMs: 0.1 } })).toEqual({ ms: 5, why: 'gain' });
  });

  test.each<[string, Partial<LingerQuestion>, string]>([
    ['where it is told never to', { mostMs: 0 }, 'off'],
    ['with a full batch at hand', { rows: 64 }, 'full'],
    ['before anything is known of the cost', { curve: null }, 'cost not known'],
    ['when nobody is expected', { rowsPerMs: 0 }, 'nobody expected'],
    ['when hardly anybody is expected', { rowsPerMs: 0.01 }, 'sharing gains less than waiting costs'],
    [
      'for a tree ensemble, whose rows are what costs',
      { curve: { fixedMs: 0.05, perRowMs: 0.04 } },
      'sharing gains less than waiting costs',
    ],
    ['for a tiny graph', { curve: { fixedMs: 1.5, perRowMs: 0.01 } }, 'gain too short for a timer'],
    ['when somebody would miss a deadline', { leftMs: 20 }, 'deadline too near'],
  ])('does not wait %s', (_, change, why) => {
    const question = {
      mostMs: 5,
      rows: 1,
      mostRows: 64,
      rowsPerMs: 2,
      curve: { fixedMs: 20, perRowMs: 0.1 },
      leftMs: 200,
      ...change,
    };

    expect(linger(question)).toEqual({ ms: 0, why });
  });
});

describe('arrivals', () => {
  test('are counted by the millisecond, without those that are there already', () => {
    const arrivals = new Arrivals(5);
    for (let now = 0; now < 2000; now += 2) arrivals.arrived(1, now);

    expect(arrivals.perMs(0, 2000)).toBeGreaterThan(0.45);
    expect(arrivals.perMs(0, 2000)).toBeLessThan(0.55);
    expect(arrivals.perMs(0, 4000)).toBeLessThan(0.001);
  });

  test('are expected after an answer as they came after those before, less who came already', () => {
    const arrivals = new Arrivals(5);
    for (let now = 0; now < 4000; now += 40) {
      arrivals.answered(now);
      for (let caller = 0; caller < 10; caller++) arrivals.arrived(1, now + caller / 4);
    }

    arrivals.answered(4000);
    expect(arrivals.perMs(0, 4000)).toBeCloseTo(2);
    for (let caller = 0; caller < 5; caller++) arrivals.arrived(1, 4001);
    expect(arrivals.perMs(5, 4002.5)).toBeCloseTo(2);
    for (let caller = 0; caller < 5; caller++) arrivals.arrived(1, 4003);
    expect(arrivals.perMs(10, 4003)).toBeLessThan(0.3);
  });

  test('are none after a lone request', () => {
    const arrivals = new Arrivals(5);
    expect(arrivals.perMs(0, 0)).toBe(0);
    for (let now = 0; now < 100_000; now += 5000) {
      arrivals.arrived(1, now);
      expect(arrivals.perMs(1, now)).toBeLessThan(1e-6);
      arrivals.answered(now + 10);
      arrivals.arrived(1, now + 11);
      arrivals.answered(now + 21);
    }
  });
});
