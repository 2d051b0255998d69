import { METRICS } from '@switchback-ml/schemas';
import type { Family, Labels } from './family.ts';
import type { Histogram } from './histogram.ts';
import type { Tallies } from './tallies.ts';
import { ATTEMPT_OUTCOMES, CACHE_RESULTS, SHADOW_OUTCOMES, STAGES, type Tally } from './tally.ts';

type Series<Value> = Iterable<readonly [Labels, Value]>;
type Unfilled = (tallies: Tallies) => Family;

/** What was counted by model and version, as metrics. Series that stand at zero are left out. */
export function tallyFamilies(tallies: Tallies): Family[] {
  return [...ATTEMPTS, ...REQUESTS, ...TIMES, ...ASIDE].map(family => family(tallies));
}

const ATTEMPTS = [
  histogram(
    METRICS.inferenceSeconds,
    'Time of one attempt of one revision at one request, waiting included.',
    (tally, labels) => [[labels, tally.attemptSeconds]],
  ),
  counters(
    METRICS.inferenceAttempts,
    'Attempts of revisions at requests, by how they ended.',
    ({ attempts }, labels) => ATTEMPT_OUTCOMES.map(outcome => [{ ...labels, outcome }, attempts[outcome]]),
  ),
  histogram(METRICS.inferenceBatchRows, 'Rows that went to an engine together.', (tally, labels) => [
    [labels, tally.batchRows],
  ]),
];

const REQUESTS = [
  counters(METRICS.requests, 'Requests, by protocol and by how they ended.', requestsOf),
  counters(
    METRICS.requestErrors,
    'Requests that no revision answered, by error code.',
    ({ errors }, labels) => Array.from(errors, ([code, count]) => [{ ...labels, code }, count] as const),
  ),
  counter(METRICS.requestRows, 'Rows of answered requests.', tally => tally.rows),
  counter(METRICS.requestRetries, 'Attempts beyond the first of a request.', tally => tally.retries),
  counter(METRICS.requestBytes, 'Bytes of request bodies.', tally => tally.bytesIn),
  counter(METRICS.responseBytes, 'Bytes of response bodies.', tally => tally.bytesOut),
];

const TIMES = [
  histogram(
    METRICS.requestSeconds,
    'Time from when a request was there whole until its answer was, of answered requests.',
    (tally, labels) => [[labels, tally.requestSeconds]],
  ),
  histogram(
    METRICS.requestStageSeconds,
    'Time that answered requests spent in each stage that they passed.',
    ({ stageSeconds }, labels) =>
      stageSeconds.map((seconds, index) => [{ ...labels, stage: STAGES[index]! }, seconds] as const),
  ),
];

const ASIDE = [
  counters(
    METRICS.cacheResults,
    'Answered requests to versions that remember answers, by where the answer came from.',
    ({ cache }, labels) => CACHE_RESULTS.map(result => [{ ...labels, result }, cache[result]]),
  ),
  counters(
    METRICS.shadowCopies,
    'Copies of requests that a version got for comparison, by what came of them.',
    ({ shadows }, labels) => SHADOW_OUTCOMES.map(outcome => [{ ...labels, outcome }, shadows[outcome]]),
  ),
  histogram(
    METRICS.shadowDifference,
    'Largest relative difference between the answer that was given and that to the copy.',
    (tally, labels) => [[labels, tally.shadowDifference]],
  ),
  counters(
    METRICS.modelCpu,
    'CPU time spent for a version, by its engines and by the share of the front that its requests took.',
    ({ engineCpuSeconds, frontCpuSeconds }, labels) => [
      [{ ...labels, process: 'engine' }, engineCpuSeconds],
      [{ ...labels, process: 'front' }, frontCpuSeconds],
    ],
  ),
];

function counter(name: string, help: string, of: (tally: Tally) => number): Unfilled {
  return counters(name, help, (tally, labels) => [[labels, of(tally)]]);
}

function counters(
  name: string,
  help: string,
  of: (tally: Tally, labels: Labels) => Series<number>,
): Unfilled {
  return tallies => ({
    name,
    help,
    type: 'counter',
    *collect() {
      for (const tally of tallies)
        for (const series of of(tally, namesOf(tally))) if (series[1] > 0) yield series;
    },
  });
}

function histogram(
  name: string,
  help: string,
  of: (tally: Tally, labels: Labels) => Series<Histogram>,
): Unfilled {
  return tallies => ({
    name,
    help,
    type: 'histogram',
    *collect() {
      for (const tally of tallies)
        for (const series of of(tally, namesOf(tally))) if (series[1].count > 0) yield series;
    },
  });
}

function* requestsOf({ requests }: Tally, labels: Labels): Series<number> {
  for (const [protocol, outcomes] of Object.entries(requests))
    for (const [outcome, count] of Object.entries(outcomes)) yield [{ ...labels, protocol, outcome }, count];
}

function namesOf({ model, version }: Tally): Labels {
  return { model, version };
}
