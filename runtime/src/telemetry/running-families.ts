import { METRICS } from '@switchback-ml/schemas';
import type { BatcherState } from '../batching/batcher.ts';
import type { Family, Labels } from './family.ts';
import type { Readings } from './readings.ts';
import type { Running } from './running.ts';
import { MOST_REVISIONS, memoryFamilies } from './running-memory.ts';

/** What runs here now, as metrics: of the newest reading. What is not known is left out. */
export function runningFamilies(readings: Readings): Family[] {
  return [
    ...queueFamilies(readings),
    ...memoryFamilies(readings),
    gauges(
      readings,
      METRICS.engineMemory,
      'Resident memory of each engine, by its seat.',
      ({ pids }, labels) =>
        pids.map((pid, seat) => [{ ...labels, engine: String(seat) }, readings.residentBytes(pid)]),
    ),
    {
      name: METRICS.modelCpuPerThousand,
      help: 'CPU time for a thousand answered rows, engines and front together, over the last five minutes.',
      type: 'gauge',
      *collect() {
        for (const [model, seconds] of readings.cpu.perThousand()) yield [{ model }, seconds];
      },
    },
  ];
}

function queueFamilies(readings: Readings): Family[] {
  const gauge = (name: string, help: string, of: (queue: BatcherState) => number | null): Family =>
    gauges(readings, name, help, ({ queue }, labels) => [[labels, of(queue)]]);
  return [
    gauge(METRICS.queueRequests, 'Requests that wait for an engine.', queue => queue.waitingRequests),
    gauge(METRICS.queueRows, 'Rows that wait for an engine.', queue => queue.waitingRows),
    gauge(
      METRICS.queueDrain,
      'Rows a second that would leave a long queue; absent while not known.',
      queue => queue.drainPerSecond,
    ),
    gauges(
      readings,
      METRICS.batchWait,
      'How long the newest batch of an idle engine was kept for others to join, and why so.',
      ({ queue: { linger } }, labels) => [[{ ...labels, reason: linger.why }, linger.ms / 1000]],
    ),
    gauge(
      METRICS.batchFixedCost,
      'What a batch takes however many rows it has, as learned; absent while not known.',
      ({ cost }) => (cost === null ? null : cost.fixedMs / 1000),
    ),
    gauge(
      METRICS.batchRowCost,
      'What each row of a batch takes besides, as learned; absent while not known.',
      ({ cost }) => (cost === null ? null : cost.perRowMs / 1000),
    ),
  ];
}

function gauges(
  readings: Readings,
  name: string,
  help: string,
  of: (running: Running, labels: Labels) => Iterable<readonly [Labels, number | null]>,
): Family {
  return {
    name,
    help,
    type: 'gauge',
    *collect() {
      for (const running of toldApart(readings.running)) {
        const { model, version, revision } = running;
        for (const [labels, value] of of(running, { model, version, revision }))
          if (value !== null) yield [labels, value];
      }
    },
  };
}

/** Nothing waits for whoever sleeps; and there are only so many series. */
function* toldApart(all: readonly Running[]): Generator<Running> {
  let told = 0;
  for (const running of all) {
    if (running.isAsleep === true && running.queue.waitingRequests === 0) continue;
    if (told++ >= MOST_REVISIONS) return;
    yield running;
  }
}
