import { Breach, type Finding, type IndicatorName, type Instant, type Verdict } from '@switchback-ml/schemas';
import type { Analysis, AnalysisState, Attest, InstanceCounts } from './analysis.ts';
import { judge } from './judge.ts';
import { loads } from './loads.ts';
import { absorb, newObjective } from './objective-state.ts';
import { requests } from './reason.ts';
import { tally } from './tally.ts';

/** Silence of every instance for longer than this is an error, not a lack of traffic. */
const SILENCE_MS = 15_000;
/** An unanswered request is often also a slow one: the plainer reason goes first. */
const IN_ORDER: readonly IndicatorName[] = ['available', 'valid', 'fast'];

/** Where the analysis stands when the candidate is put into the deployment: what was counted before is not its. */
export function startAnalysis(
  analysis: Analysis,
  counts: readonly InstanceCounts[],
  now: Instant,
): AnalysisState {
  return look(analysis, emptyState(analysis), counts, now).state;
}

/**
 * One look: takes in what was counted since the last, and says how the candidate stands. Looking often harms
 * nothing, and without news the very same state comes back, so a caller can tell that there is nothing to keep.
 */
export function verdict(
  analysis: Analysis,
  counts: readonly InstanceCounts[],
  attests: readonly Attest[],
  state: AnalysisState,
  now: Instant,
): { verdict: Verdict; state: AnalysisState } {
  const isSame = state.candidate === analysis.candidate && state.startedAt === analysis.startedAt;
  const looked = look(analysis, isSame ? state : emptyState(analysis), counts, now);
  const findings = find(analysis, attests, looked.state, now);
  const trouble = silence(analysis, [...counts, ...attests], now) ?? looked.absurd;

  return { verdict: combine(analysis, findings, trouble, looked.state.requests), state: looked.state };
}

function emptyState({ candidate, startedAt }: Analysis): AnalysisState {
  return { candidate, startedAt, seen: {}, requests: 0, objectives: {} };
}

function look(
  analysis: Analysis,
  state: AnalysisState,
  counts: readonly InstanceCounts[],
  now: Instant,
): { state: AnalysisState; absurd: string | null } {
  const { seen, hasNews, requests, increments, absurd } = tally(analysis, state.seen, counts);
  if (!hasNews) return { state, absurd };

  const objectives = { ...state.objectives };
  for (const [name, increment] of increments)
    objectives[name] = absorb(objectives[name] ?? newObjective(), increment, analysis.startedAt, now);
  return { state: { ...state, seen, requests: state.requests + requests, objectives }, absurd };
}

function find(
  analysis: Analysis,
  attests: readonly Attest[],
  { objectives }: AnalysisState,
  now: Instant,
): Finding[] {
  const judged = IN_ORDER.filter(name => analysis.objectives[name]).map(name =>
    judge(name, objectives[name] ?? newObjective(), analysis, now),
  );
  const loading = loads(analysis, attests);
  return loading ? [loading, ...judged] : judged;
}

function silence(
  { startedAt }: Analysis,
  words: readonly { heardAt: Instant }[],
  now: Instant,
): string | null {
  const latest = words.reduce((at, { heardAt }) => Math.max(at, heardAt), startedAt);
  return now - latest > SILENCE_MS
    ? `no word from any runtime for more than ${SILENCE_MS / 1000} s: look whether one is running`
    : null;
}

/**
 * Degraded goes before trouble with the data: what is proven stays proven when a runtime falls silent. Trouble
 * goes before everything else, since no data is neither healthy nor a breach.
 */
function combine(
  { eventBudget }: Analysis,
  findings: Finding[],
  trouble: string | null,
  attempts: number,
): Verdict {
  const rest = { findings, requests: attempts };
  const worst = Breach.options
    .map(breach => findings.find(finding => finding.verdict === 'degraded' && finding.breach === breach))
    .find(finding => finding !== undefined);
  if (worst) return { verdict: 'degraded', breach: worst.breach, reason: worst.reason, ...rest };
  if (trouble !== null) return { verdict: 'error', reason: trouble, ...rest };

  const unsettled = findings.find(finding => finding.verdict !== 'healthy');
  if (unsettled) return { verdict: unsettled.verdict, reason: unsettled.reason, ...rest };
  const [first] = findings;
  if (first) return { verdict: 'healthy', reason: first.reason, ...rest };

  const isEnough = attempts >= Math.max(1, eventBudget);
  const reason = `no objectives, ${attempts === 0 ? 'no requests yet' : `after ${requests(attempts)}`}`;
  return { verdict: isEnough ? 'healthy' : 'inconclusive', reason, ...rest };
}
