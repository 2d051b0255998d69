import { headlineOf, ratiosOf } from '../headline.ts';
import { LIGHTEST } from '../model/models.ts';
import type { Results } from '../results.ts';
import { median } from '../statistics.ts';
import { ms, times, whole } from './figures.ts';
import type { Grid } from './tables.ts';

/** What is to be reached, and what came out. */
export interface Target {
  what: string;
  /** Such as "≥ 0.8 ×". */
  reach: string;
  /** Null: it was not measured. */
  measured: string | null;
  /** "met", "met, in 30 of 100", "missed by …" or "not measured". */
  verdict: string;
}

const ECHO_RATIO = 0.8;
const PEER_RATIO = 10;
const HALF_LOAD_P95_MS = 5;
const RAW_RATIO = 0.95;
const SWAPS = 100;
const KILLS = 20;
const P99_CHANGE = 0.1;
const PUSH_MS = 1000;

/** All of them, measured or not, so that a part of a run does not look like a whole one. */
export function targetsOf(results: Results): Target[] {
  const { echoRatio, echoP95Ms, rawRatioCompute, pushP95Ms, ...rest } = headlineOf(results);
  return [
    atLeast('one row in JSON ÷ bare Fastify', ECHO_RATIO, echoRatio),
    ...peerRatios(results).map(([name, ratio]) => atLeast(`one row in JSON ÷ ${name}`, PEER_RATIO, ratio)),
    below('one row in JSON, p95 at half load', HALF_LOAD_P95_MS, echoP95Ms, ms),
    atLeast('rows of the heaviest model ÷ raw ONNX Runtime', RAW_RATIO, rawRatioCompute),
    noneFailed('versions swapped, failed requests', SWAPS, rest.swapFailed, rest.swaps),
    below('versions swapped, change of p99', P99_CHANGE, change(rest.swapP99Ratio), percent),
    noneFailed('engines killed, failed requests', KILLS, rest.killFailed, rest.kills),
    below('engines killed, change of p99', P99_CHANGE, change(rest.killP99Ratio), percent),
    below('from nudge to first answer of a pushed version, 95 %', PUSH_MS, pushP95Ms, ms),
  ];
}

export function targetGrid(targets: readonly Target[]): Grid {
  return [
    ['what', 'reach', 'measured', 'verdict'],
    ...targets.map(({ what, reach, measured, verdict }) => [what, reach, measured ?? '–', verdict]),
  ];
}

/** Ours ÷ each peer in answers a second of the lightest model in JSON: the middle of those by connections. */
function peerRatios({ tables }: Results): [name: string, ratio: number | null][] {
  const table = tables.find(({ model, encoding }) => model === LIGHTEST && encoding === 'json');
  const ours = table?.subjects.find(({ role }) => role === 'ours');
  const peers = table?.subjects.filter(({ role }) => role === 'peer') ?? [];
  const missing = table?.missing ?? [];
  if (peers.length + missing.length === 0) return [['each Python peer', null]];
  return [
    ...peers.map((peer): [string, number | null] => [
      peer.name,
      ours === undefined ? null : median(Object.values(ratiosOf(ours, peer))),
    ]),
    ...missing.map(({ name }): [string, null] => [name, null]),
  ];
}

function atLeast(what: string, least: number, value: number | null): Target {
  const reach = `≥ ${least} ×`;
  if (value === null || !Number.isFinite(value)) return notMeasured(what, reach);
  return { what, reach, measured: times(value), verdict: metOr(least - value, value >= least, short) };
}

function below(what: string, limit: number, value: number | null, print: (value: number) => string): Target {
  const reach = `< ${print(limit).replace(/\.0+ /, ' ')}`;
  if (value === null || !Number.isFinite(value)) return notMeasured(what, reach);
  return { what, reach, measured: print(value), verdict: metOr(value - limit, value < limit, print) };
}

/** A run of fewer times says so: it shows less. */
function noneFailed(what: string, wanted: number, failed: number | null, count: number | null): Target {
  const reach = `0 in ${wanted}`;
  if (failed === null || count === null) return notMeasured(what, reach);
  const met = count >= wanted ? 'met' : `met, in ${count} of ${wanted}`;
  const verdict = failed === 0 ? met : `missed by ${whole(failed)}`;
  return { what, reach, measured: `${whole(failed)} in ${count}`, verdict };
}

function notMeasured(what: string, reach: string): Target {
  return { what, reach, measured: null, verdict: 'not measured' };
}

function metOr(amount: number, isMet: boolean, print: (value: number) => string): string {
  return isMet ? 'met' : `missed by ${print(amount)}`;
}

function change(ratio: number | null): number | null {
  return ratio === null ? null : ratio - 1;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Never nought of a ratio that was only just missed. */
function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}
