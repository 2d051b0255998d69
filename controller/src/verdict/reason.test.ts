import { expect, test } from 'vitest';
import { clause, percent, requests } from './reason.ts';

const objectives = {
  fast: { under: 25, target: 0.99, breach: 'rollback' as const },
  available: { target: 0.999, breach: 'rollback' as const },
  valid: { target: 0.9999, breach: 'hold' as const },
};
const counts = { candidate: { bad: 61, total: 1204 }, stable: { bad: 11, total: 11_004 }, objectives };

test('says errors of both sides and how many requests it took', () => {
  expect(clause({ ...counts, objective: 'available', hasControl: true })).toBe(
    'errors 5.1 % against 0.1 %, after 1,204 requests',
  );
});

test('says the limit of slow answers', () => {
  const slow = { candidate: { bad: 31, total: 312 }, stable: { bad: 0, total: 900 }, objectives };

  expect(clause({ ...slow, objective: 'fast', hasControl: true })).toBe(
    'slower than 25 ms: 9.9 % against 0.0 %, after 312 requests',
  );
});

test('names the target where there is no control', () => {
  expect(clause({ ...counts, objective: 'valid', hasControl: false })).toBe(
    'invalid answers 5.1 % against a target of 99.99 %, after 1,204 requests',
  );
});

test('names the stretch of time when it is not the whole analysis', () => {
  expect(
    clause({ ...counts, objective: 'available', hasControl: false, over: 'in the last 5 minutes' }),
  ).toBe('errors 5.1 % against a target of 99.9 %, after 1,204 requests in the last 5 minutes');
});

test('shows no percentage of nothing', () => {
  const none = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 10 }, objectives };

  expect(clause({ ...none, objective: 'available', hasControl: true })).toBe('errors: no requests yet');
});

test.each([
  [0, '0.0 %'],
  [0.0000001, '< 0.0001 %'],
  [0.000012, '0.001 %'],
  [0.00042, '0.04 %'],
  [0.00094, '0.09 %'],
  [0.00096, '0.1 %'],
  [0.0512, '5.1 %'],
  [0.9999, '99.9 %'],
  [1, '100.0 %'],
])('writes a share of %d as %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

test.each([
  [1, '1 request'],
  [999, '999 requests'],
  [1_204_000, '1,204,000 requests'],
])('counts %d as %s', (count, text) => {
  expect(requests(count)).toBe(text);
});
