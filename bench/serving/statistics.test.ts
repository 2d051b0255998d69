import { describe, expect, test } from 'vitest';
import { median, medianOfRatios, quantile } from './statistics.ts';

describe('median', () => {
  test('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  test('is the mean of the two middle ones of an even number', () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  test('is not a number of nothing', () => {
    expect(median([])).toBeNaN();
  });
});

describe('quantile', () => {
  test('is a value that was measured, and not exceeded by so large a share', () => {
    const twenty = Array.from({ length: 20 }, (_, index) => 20 - index);

    expect(quantile(twenty, 0.95)).toBe(19);
    expect(quantile(twenty, 0.5)).toBe(10);
    expect(quantile(twenty, 0)).toBe(1);
  });

  test('is the largest of few', () => {
    expect(quantile([3, 1, 2], 0.95)).toBe(3);
  });

  test('is not a number of nothing', () => {
    expect(quantile([], 0.95)).toBeNaN();
  });
});

describe('medianOfRatios', () => {
  test('compares within a round, so that a slow spell of the machine cancels out', () => {
    const ours = [80, 40, 8];
    const theirs = [100, 50, 10];

    expect(medianOfRatios(ours, theirs)).toBeCloseTo(0.8);
  });

  test('refuses rounds that do not pair up', () => {
    expect(() => medianOfRatios([1, 2], [1])).toThrow('2 rounds of one and 1 of the other');
  });
});
