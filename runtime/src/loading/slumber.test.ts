import { expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import type { SwitchbackError } from '../error.ts';
import { Room } from './room.ts';
import { Slumber } from './slumber.ts';
import { Wakes } from './wakes.ts';

const MIB = 2 ** 20;
const IDLE = [{ idleMs: 60_000 }] as unknown as WatchedEngine[];

/** One that slept, and took so long to load before. */
function slumberOf(loadMs: number) {
  const clock = steppedClock();
  const impatient: SwitchbackError[] = [];
  const slumber = new Slumber(
    { weight: 100, isPinned: false },
    {
      room: new Room(1024 * MIB, clock),
      wakes: new Wakes({ atOnce: 2, clock }),
      clock,
      fileBytes: 1000,
      remembered: { bytes: 64 * MIB, ms: loadMs },
      onImpatient: told => impatient.push(told),
    },
  );
  return { clock, slumber, impatient };
}

test.each([100, 5000, 30_000])(
  'when each load takes %i ms, who waits for the memory of one just woken has it before its patience ends',
  async loadMs => {
    const waiting = slumberOf(loadMs);
    expect(waiting.slumber.wakeForRequest(0)).toBeNull();
    const woken = slumberOf(loadMs);
    woken.slumber.wakeForRequest(0);
    woken.slumber.awoke();

    const freeAt = woken.slumber.sleeper(IDLE, false, 64 * MIB, 0)!.notBefore;
    await waiting.clock.advance(freeAt + loadMs);

    expect(freeAt).toBeGreaterThan(0);
    expect(waiting.impatient).toEqual([]);
    await waiting.clock.advance(10_000 + 4 * loadMs);
    expect(waiting.impatient).toHaveLength(1);
    waiting.slumber.close();
    woken.slumber.close();
  },
);

test('so many requests wait for one to wake, and the next is told to come again', () => {
  const { slumber } = slumberOf(100);
  expect(slumber.wakeForRequest(255)).toBeNull();

  expect(slumber.wakeForRequest(256)).toMatchObject({ code: 'E_OVERLOADED' });
  slumber.close();
});

test('when it woke is known, and having been loaded without sleeping before is no waking', async () => {
  const { clock, slumber } = slumberOf(100);
  expect(slumber.wokeAt).toBe(Number.NEGATIVE_INFINITY);
  await clock.advance(70);
  slumber.wakeForRequest(0);
  slumber.awoke();
  await clock.advance(30);
  slumber.awoke();

  expect(slumber.wokeAt).toBe(70);
  slumber.close();
});
