import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { Congestion, nextLimit } from './congestion.ts';

describe('the number of requests in progress', () => {
  test('is limited below what it was while even the shortest turn is long, but never to a few', () => {
    let limit = Number.POSITIVE_INFINITY;
    const limits = Array.from({ length: 8 }, () => {
      limit = nextLimit(limit, Math.min(limit, 1000), 150);
      return limit;
    });

    expect(limits).toEqual([700, 489, 342, 239, 167, 116, 81, 64]);
  });

  test('is not limited where there are few: they are not what makes turns long', () => {
    expect(nextLimit(Number.POSITIVE_INFINITY, 64, 5000)).toBe(Number.POSITIVE_INFINITY);
    expect(nextLimit(100, 10, 5000)).toBe(100);
  });

  test('has no limit again some windows after turns are short', () => {
    let limit = 64;
    let windows = 0;
    for (; Number.isFinite(limit); windows++) limit = nextLimit(limit, limit, 25);

    expect(windows).toBeLessThan(25);
  });
});

test.each([120, 300])(
  'a process whose turns take %i ms takes fewer at once, and any number once it can',
  async turnMs => {
    await using congestion = new Congestion(systemClock);
    /** How many of so many at once are turned away; all of them leave. */
    const turnedAway = (count: number): number => {
      const entered = Array.from({ length: count }, () => {
        const isIn = congestion.refusal() === null;
        if (isIn) congestion.enter();
        return isIn;
      });
      for (const isIn of entered) if (isIn) congestion.leave();
      return entered.filter(isIn => !isIn).length;
    };

    expect(turnedAway(1000)).toBe(0);
    for (const until = Date.now() + 20_000; turnedAway(1000) === 0 && Date.now() < until; await turn())
      block(turnMs);
    expect(turnedAway(1000)).toBeGreaterThan(0);
    expect(turnedAway(64)).toBe(0);
    for (const until = Date.now() + 40_000; turnedAway(1000) > 0 && Date.now() < until; )
      await systemClock.sleep(20);
    expect(turnedAway(1000)).toBe(0);
  },
);

function block(ms: number): void {
  for (const until = Date.now() + ms; Date.now() < until; );
}
