import { expect, test } from 'vitest';
import type { BadOfTotal, Slice } from './analysis.ts';
import { burningShare, burnRate } from './burn-rate.ts';

const NOW = 3_600_000;
const MINUTES = 60_000;
const quiet = { bad: 0, total: 0 };

function slice(minutesAgo: number, candidate: BadOfTotal, stable: BadOfTotal = quiet): Slice {
  return { from: NOW - minutesAgo * MINUTES, candidate, stable };
}

test('burns when the bad share is surely above 14.4 times what is allowed', () => {
  // 1.44 % of 1,000; 30 bad have a lower 99 % limit of 1.9 %
  expect(burnRate([slice(1, { bad: 30, total: 1000 })], 0.999, NOW).kind).toBe('burning');
  expect(burnRate([slice(1, { bad: 16, total: 1000 })], 0.999, NOW).kind).toBe('calm');
});

test('does not take one failure in 69 requests for a fire', () => {
  expect(burnRate([slice(1, { bad: 1, total: 69 })], 0.999, NOW).kind).toBe('calm');
});

test('needs five bad events, however bad the share is', () => {
  expect(burnRate([slice(1, { bad: 4, total: 4 })], 0.999, NOW).kind).toBe('calm');
  expect(burnRate([slice(1, { bad: 5, total: 5 })], 0.999, NOW).kind).toBe('burning');
});

test('is calm again once the last five minutes are good', () => {
  const slices = [slice(20, { bad: 300, total: 1000 }), slice(1, { bad: 0, total: 1000 })];

  expect(burnRate(slices, 0.999, NOW).kind).toBe('calm');
});

test('waits for the hour when only the last minutes are bad', () => {
  const slices = [slice(50, { bad: 0, total: 20_000 }), slice(1, { bad: 100, total: 1000 })];

  expect(burnRate(slices, 0.999, NOW).kind).toBe('calm');
  expect(burnRate(slices.slice(1), 0.999, NOW).kind).toBe('burning');
});

test('blames nobody when stable is hit as well', () => {
  const outage = slice(1, { bad: 300, total: 1000 }, { bad: 2400, total: 9000 });

  expect(burnRate([outage], 0.999, NOW).kind).toBe('shared');
});

test('blames the candidate when stable only has its usual few errors', () => {
  const slices = [slice(1, { bad: 300, total: 1000 }, { bad: 9, total: 9000 })];

  expect(burnRate(slices, 0.999, NOW)).toEqual({
    kind: 'burning',
    shortWindow: { candidate: { bad: 300, total: 1000 }, stable: { bad: 9, total: 9000 } },
  });
});

test('asks for a share that can be reached when the target is low', () => {
  expect(burningShare(0.001)).toBeCloseTo(0.0144, 12);
  expect(burningShare(0.05)).toBeCloseTo(0.525, 12);
  expect(burningShare(0.5)).toBeCloseTo(0.75, 12);
  expect(burnRate([slice(1, { bad: 90, total: 100 })], 0.5, NOW).kind).toBe('burning');
});
