import { alarmsOf } from './alarms.ts';
import { type Blame, type Blamed, blameAll } from './failures.ts';
import type { Seen } from './figures.ts';
import { operationLives } from './operations.ts';
import { judgeTrend, type Trend, type TrendRule } from './trend.ts';

const MINUTE_MS = 60_000;
const MIB = 2 ** 20;
/** A front is back in a second or two; a machine that is busy with something else may let it take longer. */
const LONGEST_OUTAGE_MS = 30_000;
/** A remote that was away for 20 s has been reached again by then. */
const LONGEST_OPERATION_MS = 3 * MINUTE_MS;

/** A collector may let minutes pass: a quarter of a life has to hold more than one of its turns. */
const SHORTEST_LIFE_MS = 20 * MINUTE_MS;
const MEMORY: TrendRule = { shortestMs: SHORTEST_LIFE_MS, rise: 20 * MIB, riseRatio: 0.1 };
const DESCRIPTORS: TrendRule = { shortestMs: SHORTEST_LIFE_MS, rise: 20, riseRatio: 0.1 };

export interface ProcessTrend {
  role: string;
  name: string;
  pid: number;
  memory: Trend;
  descriptors: Trend;
}

export interface Judgement {
  /** One sentence for whoever asks how it went. */
  sentence: string;
  isOk: boolean;
  violations: string[];
  /** Failed requests by whose they are. */
  failures: Record<Blame, number>;
  trends: ProcessTrend[];
}

export function judgeSoak(seen: Seen): Judgement {
  const failures = blameAll(seen);
  const trends = trendsOf(seen);
  const violations = [
    ...requestViolations(seen, failures),
    ...seen.deeds
      .filter(({ outcome }) => outcome === 'not proven')
      .map(({ what, words }) => `${what}: ${words}`),
    ...trends.flatMap(trendViolations),
    ...controlViolations(seen),
    ...seen.unsettled.map(words => `not settled at the end: ${words}`),
    ...seen.brokenInGit,
    ...seen.left,
  ];
  const counts = countFailures(failures);
  const isOk = violations.length === 0;
  return {
    sentence: sentenceOf(seen, counts, trends, violations),
    isOk,
    violations,
    failures: counts,
    trends,
  };
}

function countFailures(failures: readonly Blamed[]): Record<Blame, number> {
  const counts = { 'good version': 0, 'bad version': 0, 'front killed': 0, 'engine stopped': 0 };
  for (const { by } of failures) counts[by] += 1;
  return counts;
}

function requestViolations({ requests, startedAt, excuses }: Seen, failures: readonly Blamed[]): string[] {
  const found: string[] = [];
  if (requests === 0) found.push('no request was answered or failed: nothing was soaked');
  const own = failures.filter(({ by }) => by === 'good version');
  const [first] = own;
  if (first) {
    const { environment, model, version, status, failure, atMs } = first.failure;
    const at = Math.round((atMs - startedAt) / 1000);
    const what = [`${environment}/${model}`, version, `answered ${status}`, failure];
    const words = what.filter(word => word !== null).join(' ');
    found.push(
      `${many(own.length, 'failed request')} to good versions, the first ${at} s from the start: ${words}`,
    );
  }
  for (const { kind, environment, model, fromMs, untilMs } of excuses)
    if (untilMs === null || untilMs - fromMs > LONGEST_OUTAGE_MS)
      found.push(
        `${environment}/${model} did not answer within ${LONGEST_OUTAGE_MS / 1000} s again (${kind})`,
      );
  return found;
}

function trendsOf({ processes }: Seen): ProcessTrend[] {
  return processes
    .filter(({ role, samples }) => role !== 'other' || samples.length > 2)
    .map(({ role, name, pid, samples }) => ({
      role,
      name,
      pid,
      memory: judgeTrend(
        samples.map(({ atMs, ownBytes }) => ({ atMs, value: ownBytes })),
        MEMORY,
      ),
      descriptors: judgeTrend(
        samples.map(({ atMs, descriptors }) => ({ atMs, value: descriptors })),
        DESCRIPTORS,
      ),
    }));
}

function trendViolations({ name, pid, memory, descriptors }: ProcessTrend): string[] {
  const found: string[] = [];
  if (memory.kind === 'judged' && memory.isRising)
    found.push(
      `memory of ${name} (process ${pid}) rose from ${mib(memory.before)} to ${mib(memory.after)}, ${mib(memory.perHour)} an hour`,
    );
  if (descriptors.kind === 'judged' && descriptors.isRising)
    found.push(
      `open descriptors of ${name} (process ${pid}) rose from ${descriptors.before} to ${descriptors.after}`,
    );
  return found;
}

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

function controlViolations({ events, endedAt }: Seen): string[] {
  const found: string[] = [];
  for (const { kind, subject, fromMs, untilMs } of operationLives(events))
    if ((untilMs ?? endedAt) - fromMs > LONGEST_OPERATION_MS)
      found.push(
        `${kind} of ${subject} was open for ${Math.round(((untilMs ?? endedAt) - fromMs) / 1000)} s`,
      );
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap >= 0) found.push(`the event log has ${events[gap]?.seq} in place ${gap + 1}`);
  const count = (type: string): number => events.filter(event => event.type === type).length;
  const unhealed = count('divergence.found') - count('divergence.healed');
  if (unhealed > 0) found.push(`${many(unhealed, 'divergence')} found and not healed`);
  const withheld = count('operation.withheld');
  if (withheld > 0) found.push(`${many(withheld, 'operation')} withheld`);
  return found;
}

function sentenceOf(
  seen: Seen,
  failures: Record<Blame, number>,
  trends: readonly ProcessTrend[],
  violations: readonly string[],
): string {
  const { requests, deeds, isInterrupted, startedAt, endedAt, forMs } = seen;
  const judged = trends.filter(({ memory }) => memory.kind === 'judged');
  const rising = judged.filter(({ memory }) => memory.kind === 'judged' && memory.isRising).length;
  const proven = deeds.filter(({ outcome }) => outcome === 'proven').length;
  const flat = rising === 0 ? 'flat in all' : `rising in ${rising}`;
  const alarms = alarmsOf(seen).length;
  const parts = [
    `${many(failures['good version'], 'failed request')} to good versions of ${number(requests)}`,
    judged.length === 0
      ? 'memory not judged, no process lived for twenty minutes'
      : `memory ${flat} of ${many(judged.length, 'process', 'es')} that lived for twenty minutes`,
    `${proven} of ${deeds.length} deeds proven`,
    ...(alarms === 0 ? [] : [`${many(alarms, 'alarm')} on good versions`]),
    violations.length === 0
      ? 'nothing diverged or was left at the end'
      : many(violations.length, 'violation'),
  ];
  const minutes = ((endedAt - startedAt) / MINUTE_MS).toFixed(1);
  const how = isInterrupted ? `Interrupted after ${minutes} of ${forMs / MINUTE_MS} min: ` : '';
  return `${how}${parts.join('; ')}.`;
}

const number = (value: number): string => value.toLocaleString('en-US');

const many = (count: number, what: string, ending = 's'): string =>
  `${number(count)} ${what}${count === 1 ? '' : ending}`;
