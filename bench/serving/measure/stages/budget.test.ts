import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetOf, busyUs } from './budget.ts';
import type { CpuProfile } from './cpu-profile.ts';
import { processorTime, type ThreadUse } from './processor-time.ts';
import type { Recording } from './profiler.ts';
import { ROOM } from './rooms.ts';

const INTERVAL_US = 100;
const URLS = {
  lane: 'file:///r/runtime/src/front/lane/lane.ts',
  batching: 'file:///r/runtime/src/batching/batch.ts',
  cache: 'file:///r/runtime/src/cache/cache.ts',
  idle: '',
};
type Place = keyof typeof URLS;

/** Samples on time at each place, in order; `late` ones after a long gap. */
function recordingOf(
  places: readonly (Place | `late ${Place}`)[],
  mainUs: number,
  { othersUs = 0, waitedUs = 0 } = {},
): Recording {
  const names = Object.keys(URLS) as Place[];
  const profile: CpuProfile = {
    nodes: names.map((name, id) => ({
      id,
      callFrame: { functionName: name === 'idle' ? '(idle)' : name, url: URLS[name] },
    })),
    samples: places.map(place => names.indexOf(place.replace('late ', '') as Place)),
    timeDeltas: places.map(place => (place.startsWith('late ') ? 50 : 1) * INTERVAL_US),
  };
  const before = [thread('node', 7000, 100), thread('V8Worker', 500, 0)];
  const after = [thread('node', 7000 + mainUs, 100 + waitedUs), thread('V8Worker', 500 + othersUs, 0)];
  return { before, after, profile };
}

function thread(name: string, ranUs: number, waitedUs: number): ThreadUse {
  return { id: name === 'node' ? 1 : name.length, name, isMain: name === 'node', ranUs, waitedUs };
}

const usOf = (budget: ReturnType<typeof budgetOf>) =>
  Object.fromEntries(budget.rooms.map(({ room, us }) => [room, us]));

describe('the budget of a process', () => {
  test('spreads what a request takes in the shares that were sampled, and what no sample saw is outside', () => {
    const recording = recordingOf(['lane', 'lane', 'idle', 'batching', 'idle'], 400);

    const budget = budgetOf('front', recording, 80);

    expect(budget.rooms.map(({ room }) => room)).toEqual([ROOM.outside, 'front/lane', 'batching']);
    expect(usOf(budget)).toEqual({ [ROOM.outside]: 20, 'front/lane': 40, batching: 20 });
    expect(busyUs(recording)).toBe(300);
  });

  test('has a row for what other threads did, also those that began meanwhile, and none for the sampler', () => {
    const recording = recordingOf(['lane', 'lane'], 200, { othersUs: 100 });
    const sampler = thread('v8:ProfEvntProc', 900, 0);
    const pool = thread('libuv-worker', 100, 0);
    const more = { ...recording, after: [...recording.after, sampler, pool] };

    expect(usOf(budgetOf('front', more, 40))).toEqual({ 'front/lane': 20, [ROOM.threads]: 20 });
  });

  test('takes of a late sample that there was work, and not where', () => {
    const recording = recordingOf(
      ['lane', 'late cache', 'late cache', 'batching', 'idle', 'idle', 'idle'],
      400,
    );

    expect(usOf(budgetOf('front', recording, 40))).toEqual({ 'front/lane': 20, batching: 20 });
  });

  test('never gives more than the kernel counted, and says how long the thread stood still', () => {
    const recording = recordingOf(['lane', 'lane', 'batching', 'batching'], 300, { waitedUs: 100 });

    const budget = budgetOf('engine', recording, 30);

    expect(usOf(budget)).toEqual({ 'front/lane': 15, batching: 15 });
    expect(budget).toMatchObject({ process: 'engine', us: 30, waitedShare: 0.25 });
  });

  test('puts what is small together', () => {
    const places = [...Array.from({ length: 299 }, () => 'lane' as const), 'cache' as const];
    const { rooms } = budgetOf('front', recordingOf(places, 30_000), 300);

    expect(rooms.map(({ room }) => room)).toEqual(['front/lane', ROOM.rest]);
    expect(rooms[1]?.us).toBeCloseTo(1, 9);
  });

  test('adds up, and is nowhere less than nothing, whatever was sampled', () => {
    const place = fc.constantFrom<Place | `late ${Place}`>('lane', 'batching', 'cache', 'idle', 'late lane');
    const used = fc.integer({ min: 1, max: 1_000_000 });

    fc.assert(
      fc.property(
        fc.array(place),
        used,
        used,
        fc.double({ min: 0.1, max: 1000, noNaN: true }),
        (...given) => {
          const [places, mainUs, othersUs, us] = given;
          const { rooms } = budgetOf('front', recordingOf(places, mainUs, { othersUs }), us);

          expect(rooms.reduce((sum, room) => sum + room.us, 0)).toBeCloseTo(us, 6);
          for (const room of rooms) expect(room.us).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

test('the processor time of a process is that between two looks', () => {
  const before = [thread('node', 1000, 10), thread('V8Worker', 50, 5)];
  const after = [thread('node', 1500, 30), thread('V8Worker', 80, 500)];

  expect(processorTime(before, after)).toEqual({ mainUs: 500, waitedUs: 20, othersUs: 30 });
});
