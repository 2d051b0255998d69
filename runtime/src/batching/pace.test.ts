import { describe, expect, test } from 'vitest';
import { learnPace, rowsForOne, rowsInTime, rowsThatPay, stagesEarly } from './pace.ts';

describe('the pace', () => {
  test('lets a quick model have full batches', () => {
    expect(rowsInTime(learnPace(0, 64, 1, 0), 200, 64, 0)).toBe(64);
  });

  test('keeps rows apart that would miss the time limit together', () => {
    expect(rowsInTime(learnPace(0, 1, 80, 0), 200, 64, 0)).toBe(1);
    expect(rowsInTime(learnPace(0, 2, 40, 0), 200, 64, 0)).toBe(5);
  });

  test('does not take the cost of a batch for that of its rows', () => {
    expect(rowsInTime(learnPace(0, 1, 31, 30), 200, 64, 30)).toBe(64);
    expect(rowsInTime(learnPace(0, 1, 40, 30), 200, 64, 30)).toBe(7);
  });

  test('forgets a hiccup in time, and never stops', () => {
    let pace = learnPace(0, 1, 1000, 0);
    expect(rowsInTime(pace, 200, 64, 0)).toBe(1);

    for (let batch = 0; batch < 200; batch++) pace = learnPace(pace, 1, 0.1, 0);

    expect(rowsInTime(pace, 200, 64, 0)).toBe(64);
    expect(rowsInTime(1, 200, 64, 500)).toBe(1);
  });
});

describe('several idle engines', () => {
  test('share what waits where rows are what costs, and not where batches are', () => {
    expect(rowsForOne(32, 1, { fixedMs: 1, perRowMs: 1 })).toBe(32);
    expect(rowsForOne(32, 2, { fixedMs: 1, perRowMs: 1 })).toBe(16);
    expect(rowsForOne(32, 2, { fixedMs: 20, perRowMs: 1 })).toBe(20);
    expect(rowsForOne(32, 2, { fixedMs: 1, perRowMs: 0 })).toBe(32);
    expect(rowsForOne(32, 2, null)).toBe(16);
    expect(rowsForOne(3, 4, null)).toBe(8);
  });
});

test('only where batches cost next to nothing does one that is not full go behind a running one', () => {
  expect(stagesEarly(null)).toBe(true);
  expect(stagesEarly({ fixedMs: 0.2, perRowMs: 1 })).toBe(true);
  expect(stagesEarly({ fixedMs: 20, perRowMs: 0.1 })).toBe(false);
});

describe('a batch', () => {
  test.each([
    ['is full while the cost of rows is not known', null, 64],
    ['is full where rows cost nothing', { fixedMs: 1, perRowMs: 0 }, 64],
    ['is full where its own cost is most of it', { fixedMs: 2, perRowMs: 0.1 }, 64],
    ['has no more rows than make its own cost a tenth', { fixedMs: 1, perRowMs: 0.5 }, 18],
    ['has one row where that alone takes long', { fixedMs: 1, perRowMs: 20 }, 1],
    ['has as many rows as are done in two milliseconds', { fixedMs: 0, perRowMs: 0.1 }, 20],
  ])('%s', (_, curve, rows) => {
    expect(rowsThatPay(curve, 0.1, 64)).toBe(rows);
  });
});
