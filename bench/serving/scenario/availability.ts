import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { closedLoad } from '../load/closed.ts';
import { failuresOf, type OpenResult, openLoad } from '../load/open.ts';
import { HEAVIEST, modelNamed } from '../model/models.ts';
import { makeSample, type Sample } from '../model/sample.ts';
import type { Asked, AvailabilityResult } from '../results.ts';
import { type Fleet, startFleet } from '../subject/fleet.ts';
import { versionOf } from '../subject/snapshot.ts';
import type { Ground } from '../subject/subject.ts';
import { busiestEngine } from './busiest.ts';

const RUNTIMES = 2;
/** Of what the fleet can do. */
const LOAD_SHARE = 0.1;
const CAPACITY_MS = 3000;
const CAPACITY_CONNECTIONS = 32;
const CONNECTIONS = 256;
/** From one deed's end to the next. */
const REST_MS = 2000;
const OVERLOAD_MS = 5000;
const OVERLOAD_TIMES = 10;
const OVERLOAD_CONNECTIONS = 2000;
/** Far over what a round of deeds takes; the load ends with the round. */
const LONGEST_ROUND_MS = 600_000;

interface Deed {
  what: string;
  act: () => Promise<void>;
}

/**
 * Two runtimes behind a gateway under steady load, round after round: a version swapped, an engine killed, a runtime
 * killed, a runtime stopped in order, each while requests come; then ten times the load. What is asked under overload
 * is counted apart: who is turned away then is so by intent.
 */
export async function availability(forMs: number, ground: Ground): Promise<AvailabilityResult> {
  const folder = join(ground.scratch, 'models');
  const samples = [
    await makeSample(modelNamed(HEAVIEST), folder, 1),
    await makeSample(modelNamed(HEAVIEST), folder, 2),
  ];
  await using fleet = await startFleet(samples[0]!, RUNTIMES, ground);
  const closed = { ...ground, connections: CAPACITY_CONNECTIONS, forMs: CAPACITY_MS };
  const { perSecond: capacity } = await closedLoad(fleet.dialect, closed);
  const result: AvailabilityResult = {
    model: HEAVIEST,
    perSecond: capacity * LOAD_SHARE,
    deeds: {},
    steady: nothingAsked(),
    overloaded: nothingAsked(),
    tookMs: 0,
  };
  const began = performance.now();
  for (let round = 0; performance.now() - began < forMs; round++) {
    await steadyRound(fleet, deedsOf(fleet, samples, round, ground), result, ground);
    const load = {
      perSecond: capacity * OVERLOAD_TIMES,
      forMs: OVERLOAD_MS,
      connections: OVERLOAD_CONNECTIONS,
    };
    add(result.overloaded, await openLoad(fleet.dialect, { ...load, signal: ground.signal }));
    result.tookMs = performance.now() - began;
    const { sent, answered } = result.steady;
    ground.tell(`availability: round ${round + 1}, ${answered} of ${sent} answered`);
  }
  return result;
}

function deedsOf(fleet: Fleet, samples: readonly Sample[], round: number, { signal }: Ground): Deed[] {
  const index = round % RUNTIMES;
  return [
    {
      what: 'version swapped',
      act: () => fleet.swap(versionOf(samples[(round + 1) % samples.length]!, `1.0.${round + 1}`)),
    },
    {
      what: 'engine killed',
      act: async () => {
        const pid = await busiestEngine(() => fleet.runtimes[index]!.engines(), signal);
        process.kill(pid, 'SIGKILL');
        await fleet.runtimes[index]!.untilReadyWithout(pid);
      },
    },
    { what: 'runtime killed', act: () => fleet.replace(index, 'killed') },
    { what: 'runtime stopped in order', act: () => fleet.replace(index, 'stopped') },
  ];
}

/** Steady load, and one deed after another. */
async function steadyRound(
  { dialect }: Fleet,
  deeds: readonly Deed[],
  result: AvailabilityResult,
  { signal }: Ground,
): Promise<void> {
  const stopping = new AbortController();
  const { perSecond } = result;
  const load = {
    perSecond,
    forMs: LONGEST_ROUND_MS,
    connections: CONNECTIONS,
    stop: stopping.signal,
    signal,
  };
  let isLoaded = true;
  const running = openLoad(dialect, load).finally(() => {
    isLoaded = false;
  });
  // Judged below; until then nobody listens.
  running.catch(() => {});
  try {
    for (const { what, act } of deeds) {
      await delay(REST_MS, undefined, { signal });
      await act();
      if (!isLoaded) throw new Error(`the load ended before "${what}" was over`);
      result.deeds[what] = (result.deeds[what] ?? 0) + 1;
    }
    await delay(REST_MS, undefined, { signal });
  } finally {
    stopping.abort();
    await running.catch(() => {});
  }
  add(result.steady, await running);
}

function nothingAsked(): Asked {
  return { sent: 0, answered: 0, turnedAway: 0, failed: 0, slowestMs: 0 };
}

function add(asked: Asked, open: OpenResult): void {
  asked.sent += open.sent;
  asked.answered += open.answered.count;
  asked.turnedAway += open.turnedAway.count;
  asked.failed += failuresOf(open);
  asked.slowestMs = Math.max(asked.slowestMs, open.answered.mostMs);
}
