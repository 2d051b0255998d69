import type { IndicatorName } from '@switchback-ml/schemas';
import type { Analysis, AnalysisState, BadOfTotal, InstanceCounts, Pair } from './analysis.ts';
import { NO_PAIR, NONE, plus } from './bad-of-total.ts';

export interface Tallied {
  seen: AnalysisState['seen'];
  /** Whether anything at all differs from what was seen before. */
  hasNews: boolean;
  /** Candidate attempts since the last look. */
  requests: number;
  /** Per objective, both sides since the last look, summed over instances. */
  increments: Map<IndicatorName, Pair>;
  /** What can't be true, in words; such a count is left out and stays as it was last seen. */
  absurd: string | null;
}

/** Keys of instances that are no longer listed; a crash-looping runtime may not fill the ledger. */
const MOST_ABSENT_KEYS = 200;
const ATTEMPTS = 'attempts';
type Measure = IndicatorName | typeof ATTEMPTS;

/**
 * What happened since the last look. Counts are cumulative per life of an instance, so the increase is a
 * difference, and each event is counted once, however often or in whatever order it is heard.
 */
export function tally(
  analysis: Analysis,
  seen: AnalysisState['seen'],
  counts: readonly InstanceCounts[],
): Tallied {
  const now: AnalysisState['seen'] = {};
  const tallied: Tallied = { seen, hasNews: false, requests: 0, increments: new Map(), absurd: null };

  for (const heard of counts) {
    const side = sideOf(analysis, heard);
    if (side === null) continue;
    for (const [measure, cumulative] of measuresOf(analysis, heard)) {
      const key = keyOf(heard, heard.revision, measure);
      if (isAbsurd(cumulative)) {
        tallied.absurd = sentence(heard, measure, cumulative);
        continue;
      }
      now[key] = cumulative;
      const increase = increaseOf(cumulative, seen[key] ?? firstBaseline(analysis, seen, heard, cumulative));
      if (measure !== ATTEMPTS) add(tallied.increments, measure, side, increase);
      else if (side === 'candidate') tallied.requests += increase.total;
    }
  }
  rememberAbsence(analysis, seen, counts, now);
  return { ...tallied, hasNews: differs(now, seen), seen: { ...absentOf(seen, now), ...now } };
}

function sideOf(analysis: Analysis, { revision }: InstanceCounts): keyof Pair | null {
  if (revision === analysis.candidate) return 'candidate';
  return revision === analysis.stable ? 'stable' : null;
}

function* measuresOf(analysis: Analysis, heard: InstanceCounts): Generator<[Measure, BadOfTotal]> {
  yield [ATTEMPTS, { bad: 0, total: heard.attempts }];
  for (const name of Object.keys(analysis.objectives) as IndicatorName[]) {
    const tally = heard.indicators[name];
    if (tally) yield [name, { bad: tally.total - tally.good, total: tally.total }];
  }
}

function keyOf({ instanceId }: InstanceCounts, revision: string, measure: Measure): string {
  return `${instanceId}/${revision}/${measure}`;
}

/**
 * Where a count begins that was never seen. At zero if the instance is younger than the analysis, or was known
 * before it had the revision. Else where it stands: what came before may be older than the analysis.
 */
function firstBaseline(
  analysis: Analysis,
  seen: AnalysisState['seen'],
  heard: InstanceCounts,
  cumulative: BadOfTotal,
): BadOfTotal {
  const isYoung = heard.startedAt >= analysis.startedAt;
  const isKnown = keyOf(heard, heard.revision, ATTEMPTS) in seen;
  return isYoung || isKnown ? NONE : cumulative;
}

/** A count that shrank in any part began a new life, at zero. */
function increaseOf(now: BadOfTotal, before: BadOfTotal): BadOfTotal {
  const bad = now.bad - before.bad;
  const total = now.total - before.total;
  return bad < 0 || total < bad ? now : { bad, total };
}

function isAbsurd({ bad, total }: BadOfTotal): boolean {
  return !(Number.isSafeInteger(total) && Number.isSafeInteger(bad) && bad >= 0 && bad <= total);
}

function sentence({ instanceId }: InstanceCounts, measure: Measure, { bad, total }: BadOfTotal): string {
  const counts =
    measure === ATTEMPTS ? `${total} attempts` : `${total - bad} good of ${total} for "${measure}"`;
  return `instance ${instanceId} reports ${counts}, which can't be: look at that runtime`;
}

function add(
  increments: Tallied['increments'],
  name: IndicatorName,
  side: keyof Pair,
  more: BadOfTotal,
): void {
  const sum = increments.get(name) ?? NO_PAIR;
  increments.set(name, { ...sum, [side]: plus(sum[side], more) });
}

/** An instance that speaks but has no candidate yet: when it has, its count will begin at zero. */
function rememberAbsence(
  { candidate }: Analysis,
  seen: AnalysisState['seen'],
  counts: readonly InstanceCounts[],
  now: AnalysisState['seen'],
): void {
  for (const heard of counts) {
    const key = keyOf(heard, candidate, ATTEMPTS);
    now[key] ??= seen[key] ?? NONE;
  }
}

/** Kept for a while, since an instance that is heard again must not be counted again; latest last. */
function absentOf(seen: AnalysisState['seen'], now: AnalysisState['seen']): AnalysisState['seen'] {
  const absent = Object.entries(seen).filter(([key]) => !(key in now));
  return Object.fromEntries(absent.slice(-MOST_ABSENT_KEYS));
}

function differs(now: AnalysisState['seen'], seen: AnalysisState['seen']): boolean {
  return Object.entries(now).some(
    ([key, { bad, total }]) => seen[key]?.bad !== bad || seen[key]?.total !== total,
  );
}
