import { METRICS } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import type { Family } from './family.ts';
import { Histogram } from './histogram.ts';
import type { Readings } from './readings.ts';
import type { Running } from './running.ts';
import { runningFamilies } from './running-families.ts';
import { MOST_REVISIONS, memoryFamilies } from './running-memory.ts';

const room = {
  budgetBytes: 1000,
  heldBytes: 300,
  evictions: 4,
  wakeSeconds: new Histogram(Float64Array.of(1)),
  turnedAway: 2,
};
const running = (index: number, more: Partial<Running> = {}): Running => ({
  model: `m${index}`,
  version: '1',
  revision: 'r',
  pids: [],
  queue: {
    waitingRequests: 0,
    waitingRows: 0,
    drainPerSecond: null,
    cost: null,
    linger: { ms: 0, why: 'off' },
  },
  state: 'ready',
  isAsleep: true,
  memoryBytes: index,
  room,
  ...more,
});
const readingsOf = (all: readonly Running[]) =>
  ({ running: all, residentBytes: () => null, cpu: { perThousand: () => [] } }) as unknown as Readings;
const valuesOf = (families: readonly Family[], name: string) => [
  ...families.find(family => family.name === name)!.collect(),
];

test('what is asleep is counted apart from what is awake, and the shared memory is told once', () => {
  const all = [
    running(1),
    running(2),
    running(3, { isAsleep: false }),
    running(4, { isAsleep: false, state: 'loading' }),
  ];

  const families = memoryFamilies(readingsOf(all));

  expect(valuesOf(families, METRICS.revisions)).toEqual([
    [{ state: 'asleep' }, 2],
    [{ state: 'awake' }, 1],
    [{ state: 'loading' }, 1],
  ]);
  expect(valuesOf(families, METRICS.engineMemoryBudget)).toEqual([[{}, 1000]]);
  expect(valuesOf(families, METRICS.engineMemoryHeld)).toEqual([[{}, 300]]);
  expect(valuesOf(families, METRICS.revisionEvictions)).toEqual([[{}, 4]]);
  expect(valuesOf(families, METRICS.revisionWakesRefused)).toEqual([[{}, 2]]);
  expect(valuesOf(families, METRICS.revisionWakeSeconds)).toEqual([[{}, room.wakeSeconds]]);
});

test('of a thousand sleeping models the largest alone have series, and none of them a queue', () => {
  const readings = readingsOf(Array.from({ length: 1000 }, (_, index) => running(index)));

  const told = valuesOf(memoryFamilies(readings), METRICS.revisionMemory);

  expect(told).toHaveLength(MOST_REVISIONS);
  expect(told[0]).toEqual([{ model: 'm999', version: '1', revision: 'r' }, 999]);
  expect(valuesOf(runningFamilies(readings), 'switchback_queue_requests')).toEqual([]);
});

test('without anything running nothing is said of memory', () => {
  for (const family of memoryFamilies(readingsOf([]))) expect([...family.collect()]).toEqual([]);
});
