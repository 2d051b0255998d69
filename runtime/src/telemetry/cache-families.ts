import { METRICS } from '@switchback-ml/schemas';
import type { CacheReport, FarReport, RevisionReport } from '../cache/cache.ts';
import type { Family, Labels } from './family.ts';

/** That have series of their own: those that hold most. */
export const MOST_REVISIONS = 200;

const STATES = ['closed', 'open', 'probing'] as const;

type Series = Iterable<readonly [Labels, number]>;

/**
 * What is remembered of answers, and how the Redis is that they are shared through; of that nothing where there is none.
 * `report`: as of the newest look; null: nothing is remembered at all.
 */
export function cacheFamilies(report: () => CacheReport | null): Family[] {
  const ofCache = (of: (cache: CacheReport) => Series) => (): Series => {
    const cache = report();
    return cache === null ? [] : of(cache);
  };
  return [...HELD, ...FAR].map(({ of, ...named }) => ({ ...named, collect: ofCache(of) }));
}

interface Told {
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  of: (cache: CacheReport) => Series;
}

const NO_LABELS = {};

const HELD: readonly Told[] = [
  {
    name: METRICS.cacheEntries,
    help: 'Answers remembered in this process.',
    type: 'gauge',
    of: ({ entries }) => [[NO_LABELS, entries]],
  },
  {
    name: METRICS.cacheBytes,
    help: 'What they take.',
    type: 'gauge',
    of: ({ bytes }) => [[NO_LABELS, bytes]],
  },
  {
    name: METRICS.cacheBudget,
    help: 'What they may take.',
    type: 'gauge',
    of: ({ budgetBytes }) => [[NO_LABELS, budgetBytes]],
  },
  {
    name: METRICS.cacheRevisionBytes,
    help: 'What the answers of a revision take, of those that hold most.',
    type: 'gauge',
    of: cache => largest(cache).map(({ labels, bytes }) => [labels, bytes]),
  },
  {
    name: METRICS.cacheForgotten,
    help: 'Answers that are not remembered any more, or never were, by why.',
    type: 'counter',
    of: ({ forgotten: { evicted, expired, tooLarge } }) => [
      [{ reason: 'room' }, evicted],
      [{ reason: 'age' }, expired],
      [{ reason: 'too-large' }, tooLarge],
    ],
  },
];

type Far = NonNullable<CacheReport['far']>;

const FAR: readonly Told[] = [
  {
    name: METRICS.redisState,
    help: 'How Redis is used, each way in a state: 1 for the one it is in. Closed: used; open: left alone.',
    type: 'gauge',
    of: ofFar(far => [...statesOf(far, 'reading'), ...statesOf(far, 'writing')]),
  },
  {
    name: METRICS.redisRoundTrip,
    help: 'What it takes to ask Redis, lately; absent while not known.',
    type: 'gauge',
    of: ofFar(({ roundTripMs }) => (roundTripMs === null ? [] : [[NO_LABELS, roundTripMs / 1000]])),
  },
  {
    name: METRICS.redisAsked,
    help: 'Whether Redis is asked before an answer of this revision is made, and why so.',
    type: 'gauge',
    of: cache =>
      largest(cache).flatMap(({ labels, far }) =>
        far === null ? [] : [[{ ...labels, reason: far.why }, Number(far.isAsked)] as const],
      ),
  },
  {
    name: METRICS.redisLookups,
    help: 'Answers looked for in Redis, by what came of it.',
    type: 'counter',
    of: ofFar(lookupsOf),
  },
  {
    name: METRICS.redisWrites,
    help: 'Answers to be written to Redis, by what came of it.',
    type: 'counter',
    of: ofFar(({ written, notWritten }) => [
      [{ result: 'written' }, written],
      [{ result: 'dropped' }, notWritten],
    ]),
  },
  {
    name: METRICS.redisWritesPending,
    help: 'Answers that wait to be written to Redis, or are being written.',
    type: 'gauge',
    of: ofFar(({ writes }) => [[NO_LABELS, writes]]),
  },
];

function ofFar(of: (far: Far) => Series): Told['of'] {
  return ({ far }) => (far === null ? [] : of(far));
}

function statesOf(far: FarReport, use: 'reading' | 'writing'): [Labels, number][] {
  return STATES.map(state => [{ use, state }, Number(far[use] === state)]);
}

function lookupsOf({ found, absent, failed, notAsked, refused }: FarReport): [Labels, number][] {
  const results = { found, absent, failed, 'not-asked': notAsked, ...refused };
  return Object.entries(results).map(([result, count]) => [{ result }, count]);
}

function largest({ models }: CacheReport): (RevisionReport & { labels: Labels })[] {
  const all = models.flatMap(({ model, revisions }) =>
    revisions.map(report => ({ ...report, labels: { model, revision: report.revision } })),
  );
  if (all.length <= MOST_REVISIONS) return all;
  return all.toSorted((a, b) => b.bytes - a.bytes).slice(0, MOST_REVISIONS);
}
