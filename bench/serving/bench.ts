import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine } from './machine.ts';
import { measureRaw } from './measure/raw.ts';
import { measureStages } from './measure/stages/stages.ts';
import { measureTable, type TableOptions } from './measure/table.ts';
import { HEAVIEST, LIGHTEST, modelNamed } from './model/models.ts';
import { makeSample } from './model/sample.ts';
import type { Options, Scenario } from './options.ts';
import type { Progress, Step } from './progress.ts';
import type { RawResult, Results, StagesResult, Table } from './results.ts';
import { availability } from './scenario/availability.ts';
import { killEngines } from './scenario/kill.ts';
import { neighbours } from './scenario/neighbours.ts';
import { overload } from './scenario/overload.ts';
import { pushVersions } from './scenario/push.ts';
import { soak } from './scenario/soak.ts';
import { swapVersions } from './scenario/swap.ts';
import { BARE } from './subject/bare.ts';
import { OURS } from './subject/ours.ts';
import { kindsOf } from './subject/peer.ts';
import { PEERS } from './subject/peers.ts';
import type { Ground } from './subject/subject.ts';
import type { Encoding } from './v2.ts';

const CONNECTIONS = [1, 32, 128];
/** A few rounds say enough of who is many times slower. */
const PEER_ROUNDS = 2;
const SWAPS = { quick: 30, full: 100 };
const KILLS = { quick: 5, full: 20 };
const PUSHES = { quick: 5, full: 20 };

/** Measures all that the options ask for, one after another. */
export async function bench(
  options: Options,
  progress: Progress,
  { cache, signal, now }: { cache: string; signal: AbortSignal; now: Date },
): Promise<Results> {
  const scratch = await mkdtemp(join(tmpdir(), 'switchback-bench-'));
  const ground: Ground = { scratch, cache, signal, tell: words => progress.tell(words) };
  const results = {
    machine: describeMachine(now),
    tables: [] as Table[],
    raw: [] as RawResult[],
    stages: [] as StagesResult[],
    swap: null,
    kill: null,
    push: null,
    neighbours: null,
    overload: null,
    availability: null,
    soak: null,
  };
  try {
    await progress.run([
      ...(options.hasTables ? tableSteps(options, ground, results.tables) : []),
      ...rawSteps(options, ground, results.raw),
      ...stageSteps(options, ground, results.stages),
      ...scenarioSteps(options, ground, results),
    ]);
    return results;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function tableSteps(options: Options, ground: Ground, tables: Table[]): Step[] {
  const { models, isQuick, forMs, rounds, subjects } = options;
  const encodings: Encoding[] = isQuick ? ['json'] : ['json', 'binary'];
  const together = [OURS, ...BARE].filter(({ name }) => subjects.has(name));
  const alone = PEERS.filter(({ name }) => subjects.has(name)).map(kindsOf);
  const cells = CONNECTIONS.length * forMs;
  const estimateMs = (encoding: Encoding): number => {
    const peers = alone.filter(([first]) => first?.speaks.includes(encoding)).length;
    const peerMs = cells * PEER_ROUNDS + 2 * forMs + 30_000;
    return together.length * (cells * rounds + 2 * forMs + 3000) + peers * peerMs;
  };
  const tableOptions: TableOptions = {
    connections: CONNECTIONS,
    rounds,
    peerRounds: PEER_ROUNDS,
    forMs,
    ground,
  };
  return models.flatMap(name =>
    encodings.map(encoding => ({
      what: `${name} in ${encoding}`,
      estimateMs: estimateMs(encoding),
      run: async () => {
        const sample = await makeSample(modelNamed(name), join(ground.scratch, 'models'));
        tables.push(await measureTable(sample, encoding, { together, alone }, tableOptions));
      },
    })),
  );
}

function rawSteps(
  { scenarios, isQuick, models, rounds, forMs }: Options,
  ground: Ground,
  raw: RawResult[],
): Step[] {
  if (!scenarios.has('raw')) return [];
  return (isQuick ? [HEAVIEST] : models).map(name => ({
    what: `${name}: raw ONNX Runtime`,
    estimateMs: 3000 + rounds * forMs * 2.5,
    run: async () => {
      const sample = await makeSample(modelNamed(name), join(ground.scratch, 'models'));
      raw.push(await measureRaw(sample, { rounds, forMs, ground }));
    },
  }));
}

function stageSteps(
  { scenarios, isQuick, rounds, forMs }: Options,
  ground: Ground,
  stages: StagesResult[],
): Step[] {
  if (!scenarios.has('stages')) return [];
  // A room that takes one part in a hundred is met a hundred times in five seconds.
  const profileMs = isQuick ? forMs : rounds * forMs;
  const warmMs = isQuick ? forMs / 2 : 2 * forMs;
  const plainMs = forMs / 2;
  return [LIGHTEST, HEAVIEST].map(name => ({
    what: `${name}: where processor time goes`,
    estimateMs: 2500 + warmMs + profileMs + plainMs,
    run: async () => {
      const sample = await makeSample(modelNamed(name), join(ground.scratch, 'models'));
      stages.push(await measureStages(sample, { warmMs, profileMs, plainMs, ground }));
    },
  }));
}

type Scenarios = { -readonly [Name in Exclude<Scenario, 'raw' | 'stages'>]: Results[Name] };

function scenarioSteps(options: Options, ground: Ground, results: Scenarios): Step[] {
  const { isQuick, forMs, requests, availabilityMs } = options;
  const swaps = isQuick ? SWAPS.quick : SWAPS.full;
  const kills = isQuick ? KILLS.quick : KILLS.full;
  const pushes = isQuick ? PUSHES.quick : PUSHES.full;
  const quietMs = 2 * forMs;
  const all: Record<keyof Scenarios, Step> = {
    swap: {
      what: `${swaps} versions swapped under load`,
      estimateMs: 2 * quietMs + 6000 + swaps * 1500,
      run: async () => {
        results.swap = await swapVersions(swaps, quietMs, ground);
      },
    },
    kill: {
      what: `${kills} engines killed under load`,
      estimateMs: 2 * quietMs + 6000 + kills * 2000,
      run: async () => {
        results.kill = await killEngines(kills, quietMs, ground);
      },
    },
    push: {
      what: `${pushes} versions pushed, each until it answers`,
      estimateMs: 6000 + pushes * 1200,
      run: async () => {
        results.push = await pushVersions(pushes, ground);
      },
    },
    neighbours: {
      what: 'a light model beside a heavy one',
      estimateMs: 3 * quietMs + 5000,
      run: async () => {
        results.neighbours = await neighbours(quietMs, ground);
      },
    },
    overload: {
      what: 'ten times as much as it can do',
      estimateMs: 3 * quietMs + 15_000,
      run: async () => {
        results.overload = await overload(quietMs, ground);
      },
    },
    availability: {
      what: 'two runtimes behind a gateway, and what befalls them',
      estimateMs: availabilityMs + 30_000,
      run: async () => {
        results.availability = await availability(availabilityMs, ground);
      },
    },
    soak: {
      what: `${requests.toLocaleString('en')} requests`,
      estimateMs: requests / 20,
      run: async () => {
        results.soak = await soak(requests, ground);
      },
    },
  };
  return (Object.keys(all) as (keyof Scenarios)[])
    .filter(name => options.scenarios.has(name))
    .map(name => all[name]);
}
