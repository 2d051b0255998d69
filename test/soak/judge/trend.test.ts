import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeTrend, leastSquares, median, type Sample, type TrendRule } from './trend.ts';

const MIB = 2 ** 20;
const MINUTE = 60_000;
const rule: TrendRule = { shortestMs: 10 * MINUTE, rise: 20 * MIB, riseRatio: 0.1 };

/** One every ten seconds for an hour, by how far through the hour. */
const hour = (value: (part: number, index: number) => number): Sample[] =>
  Array.from({ length: 361 }, (_, index) => ({
    atMs: 5000 + index * 10_000,
    value: value(index / 360, index),
  }));
const noise = (index: number): number => ((index * 7919) % 13) - 6;

describe('the judge of trends', () => {
  test.each([
    ['flat with noise', (_: number, index: number) => (100 + noise(index)) * MIB],
    ['flat after a steep warm-up', (part: number) => Math.min(1, part * 5) * 200 * MIB],
    ['a saw of 60 MiB', (_: number, index: number) => (100 + (index % 30) * 2) * MIB],
    [
      'high for long, and collected at times',
      (_: number, index: number) => (index % 80 < (index < 270 ? 60 : 15) ? 100 : 250) * MIB,
    ],
    ['one spike at the end', (_: number, index: number) => (index === 360 ? 900 : 100) * MIB],
    ['falling', (part: number) => (300 - 100 * part) * MIB],
    ['rising by less than 20 MiB', (part: number) => (100 + 30 * part) * MIB],
    ['rising by less than a tenth', (part: number) => (1000 + 150 * part) * MIB],
  ])('finds nothing where memory is %s', (_, value) => {
    expect(judgeTrend(hour(value), rule)).toMatchObject({ kind: 'judged', isRising: false });
  });

  test.each([
    ['rises all the time', (part: number, index: number) => (100 + 60 * part + noise(index)) * MIB],
    ['rises in steps', (part: number) => (100 + 25 * Math.floor(part * 4)) * MIB],
    ['rises below a saw', (part: number, index: number) => (100 + 80 * part + (index % 30)) * MIB],
  ])('finds that it %s', (_, value) => {
    expect(judgeTrend(hour(value), rule)).toMatchObject({ kind: 'judged', isRising: true });
  });

  test('says by how much, per hour', () => {
    const trend = judgeTrend(
      hour(part => (100 + 60 * part) * MIB),
      rule,
    );

    expect(trend).toMatchObject({ allowedRise: 20 * MIB });
    if (trend.kind !== 'judged') throw new Error('not judged');
    expect(trend.after - trend.before).toBeCloseTo(30 * MIB, -6);
    expect(trend.perHour / MIB).toBeCloseTo(60, 6);
    expect(trend.perHourError / MIB).toBeCloseTo(0, 6);
  });

  test('says nothing of a short life, of few samples, or of none', () => {
    const short = hour(part => part * 1000 * MIB).slice(0, 59);
    const few = hour(part => part * 1000 * MIB).filter((_, index) => index % 60 === 0);

    expect(judgeTrend(short, rule)).toEqual({ kind: 'too short', lifeMs: 580_000 });
    expect(judgeTrend(few, rule)).toMatchObject({ kind: 'too short' });
    expect(judgeTrend([], rule)).toEqual({ kind: 'too short', lifeMs: 0 });
  });

  test('does not depend on where the clock began', () => {
    const values = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 100, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 2 ** 40 }), (list, shift) => {
        const at = (from: number): Sample[] =>
          list.map((value, index) => ({ atMs: from + index * 10_000, value: value * MIB }));
        const [one, other] = [judgeTrend(at(0), rule), judgeTrend(at(shift), rule)];
        expect(other).toMatchObject({
          ...('before' in one ? { before: one.before, after: one.after, isRising: one.isRising } : one),
        });
      }),
    );
  });
});

test('a median is the middle, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test('a slope has the standard error that the textbook has', () => {
  const samples = [1, 2, 4, 4].map((value, index) => ({ atMs: index, value }));

  const { slope, error } = leastSquares(samples);

  expect(slope).toBeCloseTo(1.1, 12);
  expect(error).toBeCloseTo(Math.sqrt(0.7 / 2 / 5), 12);
});
