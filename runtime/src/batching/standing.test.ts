import { describe, expect, test } from 'vitest';
import { Standing } from './standing.ts';

/** Turns away `count` at `now`, and says whether one of them made the queue be kept short. */
function turnAway(standing: Standing, count: number, now: number): boolean {
  return Array.from({ length: count }, () => standing.refused(now)).includes(true);
}

describe('a queue that overflows', () => {
  test('is kept short from the 64th on that is turned away within a second', () => {
    const standing = new Standing();

    expect(turnAway(standing, 63, 500)).toBe(false);
    expect(standing.holds(500)).toBe(false);
    expect(turnAway(standing, 1, 1400)).toBe(true);
    expect(standing.holds(1400)).toBe(true);
    expect(turnAway(standing, 100, 1400)).toBe(false);
  });

  test('stays long for those who come seldom, however many they are', () => {
    const standing = new Standing();

    for (let now = 0; now < 600_000; now += 20) expect(standing.refused(now)).toBe(false);
  });

  test('may be long again as soon as nobody was turned away for a second', () => {
    const standing = new Standing();
    turnAway(standing, 64, 0);
    turnAway(standing, 1, 800);

    expect(standing.holds(1799)).toBe(true);
    expect(standing.holds(1800)).toBe(false);
  });

  test('is not short again for one who finds no room long after', () => {
    const standing = new Standing();
    turnAway(standing, 64, 0);

    turnAway(standing, 1, 25_000);

    expect(standing.holds(25_000)).toBe(false);
  });

  test('is tried long again after thirty seconds, and ever more seldom while it overflows again', () => {
    const standing = new Standing();
    const holds: number[] = [];
    let beganAt = 0;
    turnAway(standing, 64, 0);
    for (let now = 0; now < 2_000_000; now += 100) {
      turnAway(standing, 1, now);
      if (standing.holds(now)) continue;
      holds.push(now - beganAt);
      turnAway(standing, 64, now);
      beganAt = now;
    }

    expect(holds.slice(0, 6)).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  test('is tried as soon as the first time again, once it had been calm', () => {
    const standing = new Standing();
    turnAway(standing, 64, 0);
    for (let now = 0; now <= 30_000; now += 100) turnAway(standing, 1, now);
    expect(standing.holds(30_000)).toBe(false);

    const later = 200_000;
    turnAway(standing, 64, later);
    for (let now = later; now < later + 30_000; now += 100) {
      expect(standing.holds(now)).toBe(true);
      turnAway(standing, 1, now);
    }
    expect(standing.holds(later + 30_000)).toBe(false);
  });
});
