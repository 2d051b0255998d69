import { METRICS } from '@switchback-ml/schemas';
import type { Family } from './family.ts';
import type { Readings } from './readings.ts';
import type { Running, RunningRoom } from './running.ts';

/** Whose memory is told of apart; of more, only the sums are. */
export const MOST_REVISIONS = 200;

/** What revisions take of the memory that they share; nothing where it has no bound. */
export function memoryFamilies(readings: Readings): Family[] {
  const plain = (
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    of: (room: RunningRoom) => number,
  ) => ({
    name,
    help,
    type,
    collect: () => roomsOf(readings).map(room => [{}, of(room)] as const),
  });
  return [
    {
      name: METRICS.revisions,
      help: 'Revisions by how they are here: asleep ones are ready and have no engine until somebody asks.',
      type: 'gauge',
      *collect() {
        for (const [state, count] of byState(readings.running)) yield [{ state }, count];
      },
    },
    {
      name: METRICS.revisionMemory,
      help: 'Memory that one engine of a revision holds alone, as measured last; also of those asleep.',
      type: 'gauge',
      *collect() {
        for (const { model, version, revision, memoryBytes } of largest(readings.running))
          yield [{ model, version, revision }, memoryBytes!];
      },
    },
    plain(
      'gauge',
      METRICS.engineMemoryBudget,
      'What all engines may hold together.',
      room => room.budgetBytes,
    ),
    plain(
      'gauge',
      METRICS.engineMemoryHeld,
      'What they hold, and those that load are expected to.',
      room => room.heldBytes,
    ),
    plain(
      'counter',
      METRICS.revisionEvictions,
      'Times that a revision slept for another.',
      room => room.evictions,
    ),
    plain(
      'counter',
      METRICS.revisionWakesRefused,
      'Requests told to come again rather than wait for a revision to wake.',
      room => room.turnedAway,
    ),
    {
      name: METRICS.revisionWakeSeconds,
      help: 'From the first request for a revision asleep until an engine of it answers.',
      type: 'histogram',
      collect: () => roomsOf(readings).map(({ wakeSeconds }) => [NO_LABELS, wakeSeconds] as const),
    },
  ];
}

const NO_LABELS = {};

/** The one that all share, if there is any. */
function roomsOf({ running: [any] }: Readings): RunningRoom[] {
  return any?.room === undefined ? [] : [any.room];
}

function byState(running: readonly Running[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { state, isAsleep } of running) {
    const said = isAsleep === true ? 'asleep' : state === 'ready' ? 'awake' : state;
    if (said !== undefined) counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  return counts;
}

function largest(running: readonly Running[]): Running[] {
  const known = running.filter(({ memoryBytes = null }) => memoryBytes !== null);
  if (known.length <= MOST_REVISIONS) return known;
  return known.toSorted((a, b) => b.memoryBytes! - a.memoryBytes!).slice(0, MOST_REVISIONS);
}
