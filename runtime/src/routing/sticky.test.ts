import { describe, expect, test } from 'vitest';
import { stickyPoint, stickySalt } from './sticky.ts';

/** What chi-square with 99 degrees of freedom exceeds once in ten thousand times. */
const MOST_BY_CHANCE = 161.3;

const KEYS: Record<string, (index: number) => string> = {
  'numbers one after the other': String,
  'numbers of one length': index => String(4_000_000_000 + index),
  'names with a common end': index => `card-${index.toString(36)}@example.com`,
  'random ids': index => `${hex(index)}${hex(index + 1e6)}-${hex(index + 2e6)}`,
};
const BINS = 100;
const COUNT = 100_000;

describe('points of sticky values', () => {
  test.each(Object.keys(KEYS))('are evenly spread: %s', kind => {
    const salt = stickySalt('ratio/0123456789ab-01234567');
    const bins = new Float64Array(BINS);

    for (let index = 0; index < COUNT; index++)
      bins[Math.floor(stickyPoint(KEYS[kind]!(index), salt) * BINS)]! += 1;

    expect(chiSquare(bins, COUNT / BINS)).toBeLessThan(MOST_BY_CHANCE);
  });

  test.each(Object.keys(KEYS))('under one salt owe nothing to those under another: %s', kind => {
    const [one, other] = [
      stickySalt('ratio/0123456789ab-01234567'),
      stickySalt('ratio/0123456789ac-01234567'),
    ];
    const cells = new Float64Array(BINS);

    for (let index = 0; index < COUNT; index++) {
      const key = KEYS[kind]!(index);
      cells[Math.floor(stickyPoint(key, one) * 10) * 10 + Math.floor(stickyPoint(key, other) * 10)]! += 1;
    }

    expect(chiSquare(cells, COUNT / BINS)).toBeLessThan(MOST_BY_CHANCE);
  });

  test('are where they were in earlier releases, or an upgrade would move callers about', () => {
    const salt = stickySalt('fraud/0123456789ab-01234567');

    expect([salt, stickyPoint('4711', salt), stickyPoint('ü', salt)]).toEqual([
      -1665421650, 0.5901508661918342, 0.48212059517391026,
    ]);
  });

  test('follow from the first two hundred characters of a value', () => {
    const long = 'x'.repeat(200);

    expect(stickyPoint(`${long}one`, 1)).toBe(stickyPoint(`${long}other`, 1));
    expect(stickyPoint(`${long.slice(1)}1`, 1)).not.toBe(stickyPoint(`${long.slice(1)}2`, 1));
  });
});

function chiSquare(bins: Float64Array, expected: number): number {
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function hex(index: number): string {
  return ((index * 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
}
