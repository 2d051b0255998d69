import { expect, test } from 'vitest';
import { type AdmissionQuestion, overload } from './admission.ts';

const ROOM: AdmissionQuestion = {
  rows: 1,
  waitingRows: 500,
  capacityRows: 1000,
  rowsBefore: 500,
  nextRows: 64,
  drainPerMs: 2,
  leftMs: 300,
};

test('who fits and is in time is let in', () => {
  expect(overload(ROOM)).toBeNull();
});

test('who finds the queue full is told when it will be empty', () => {
  const error = overload({ ...ROOM, waitingRows: 1000 });

  expect(error).toMatchObject({ code: 'E_OVERLOADED', details: { retryAfterMs: 500 } });
  expect(error?.message).toContain('1000 rows wait already and 1000 may');
});

test('who would only wait for its deadline is told at once', () => {
  const error = overload({ ...ROOM, leftMs: 200 });

  expect(error).toMatchObject({ code: 'E_OVERLOADED', details: { retryAfterMs: 250 } });
  expect(error?.message).toContain('takes about 250 ms, and it has 200 ms left');
});

test.each<[string, Partial<AdmissionQuestion>]>([
  ['goes before all others', { rowsBefore: 0 }],
  ['goes with the next batch', { rowsBefore: 63 }],
  ['comes when nothing is known', { drainPerMs: null }],
  ['has all the time', { leftMs: Number.POSITIVE_INFINITY }],
])('nothing is foretold to who %s', (_, change) => {
  expect(overload({ ...ROOM, leftMs: 1, drainPerMs: 0.001, ...change })).toBeNull();
});

test('without a known rate nobody is told when', () => {
  expect(overload({ ...ROOM, waitingRows: 1000, drainPerMs: null })?.details).toEqual({});
});

test('nobody is sent away for more than a minute', () => {
  expect(overload({ ...ROOM, waitingRows: 1000, drainPerMs: 1e-6 })?.details).toEqual({
    retryAfterMs: 60_000,
  });
});
