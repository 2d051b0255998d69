import type { ProcessStages, Room } from '../../results.ts';
import { intervalUs, readProfile, stacksOf } from './cpu-profile.ts';
import { processorTime } from './processor-time.ts';
import type { Recording } from './profiler.ts';
import { byOrder, ROOM, roomOf } from './rooms.ts';

/** Smaller ones stand together. */
const LEAST_SHARE = 0.005;

/** How long it ran JavaScript, or what JavaScript called, in microseconds. */
export function busyUs({ profile }: Recording): number {
  return sum(roomTimes(profile));
}

/**
 * Spreads the processor time that a request takes while nobody profiles (`us`) over the rooms, in the shares that a
 * recording shows.
 */
export function budgetOf(
  process: ProcessStages['process'],
  { before, after, profile }: Recording,
  us: number,
): ProcessStages {
  const { mainUs, waitedUs, othersUs } = processorTime(before, after);
  const times = roomTimes(profile);
  // V8 calls it idle when libuv reads or polls: what the thread used beyond all that was sampled is just that.
  times.set(ROOM.outside, Math.max(0, mainUs - sum(times)));
  // Samples are a little more than the thread had where it often stood still: the kernel knows how much it had.
  const perSampled = mainUs / Math.max(1, sum(times));
  for (const [room, time] of times) times.set(room, time * perSampled);
  times.set(ROOM.threads, othersUs);
  const perUs = us / Math.max(1, mainUs + othersUs);
  const rooms = [...times].map(([room, time]) => ({ room, us: time * perUs }));
  return {
    process,
    us,
    waitedShare: waitedUs / Math.max(1, mainUs + waitedUs),
    rooms: together(rooms, us * LEAST_SHARE).toSorted((one, other) => byOrder(one.room, other.room)),
  };
}

/** In microseconds: how much by all samples, and where by those that were on time. */
function roomTimes(recorded: unknown): Map<string, number> {
  const profile = readProfile(recorded);
  const late = new Map<string, number>();
  const onTime = new Map<string, number>();
  let samples = 0;
  for (const stack of stacksOf(profile)) {
    const room = roomOf(stack.frames);
    if (room === null) continue;
    samples += stack.samples;
    late.set(room, (late.get(room) ?? 0) + stack.samples - stack.onTime);
    if (stack.onTime > 0) onTime.set(room, (onTime.get(room) ?? 0) + stack.onTime);
  }
  const told = onTime.size > 0 ? onTime : late;
  const perSample = (intervalUs(profile) * samples) / Math.max(1, sum(told));
  return new Map([...told].map(([room, count]) => [room, count * perSample]));
}

function together(rooms: readonly Room[], leastUs: number): Room[] {
  const isLarge = ({ room, us }: Room): boolean => us >= leastUs && room !== ROOM.rest;
  const restUs = rooms.filter(room => !isLarge(room)).reduce((all, { us }) => all + us, 0);
  return [...rooms.filter(isLarge), ...(restUs > 0 ? [{ room: ROOM.rest, us: restUs }] : [])];
}

function sum(times: ReadonlyMap<string, number>): number {
  return [...times.values()].reduce((all, time) => all + time, 0);
}
