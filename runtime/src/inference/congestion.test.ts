import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { Congestion, nextShare } from './congestion.ts';

describe('the share that is turned away', () => {
  test('grows while even the shortest turn is long, and leaves some in', () => {
    let share = 0;
    const shares = Array.from({ length: 12 }, () => (share = nextShare(share, 150)));

    expect(shares.slice(0, 3).map(one => one.toFixed(1))).toEqual(['0.1', '0.2', '0.3']);
    expect(shares.at(-1)).toBe(0.9);
  });

  test('is soon none when turns are short again', () => {
    let share = 0.9;
    for (let window = 0; window < 13; window++) share = nextShare(share, 12);

    expect(share).toBe(0);
  });

  test('does not grow by what took long once among others', () => {
    expect(nextShare(0, 20)).toBe(0);
    expect(nextShare(0.5, 20)).toBeLessThan(0.5);
  });
});

test.each([120, 300])(
  'a process whose turns take %i ms turns some away, and nobody once it can',
  async turnMs => {
    await using congestion = new Congestion({ clock: systemClock, random: () => 0 });
    const isTurningAway = (): boolean => congestion.refusal() !== null;

    expect(isTurningAway()).toBe(false);
    for (const until = Date.now() + 10_000; !isTurningAway() && Date.now() < until; await turn())
      block(turnMs);
    expect(congestion.refusal()).toMatchObject({ code: 'E_OVERLOADED' });
    for (const until = Date.now() + 10_000; isTurningAway() && Date.now() < until; )
      await systemClock.sleep(20);
    expect(isTurningAway()).toBe(false);
  },
);

function block(ms: number): void {
  for (const until = Date.now() + ms; Date.now() < until; );
}
