import { expect, test } from 'vitest';
import type { ObjectiveState, Pair } from './analysis.ts';
import { absorb, newObjective } from './objective-state.ts';
import { EVIDENCE_NEEDED, evidenceOf, logOfMean, noEvidence, weigh } from './sequential-test.ts';
import { answered, seeded, type Traffic } from './simulated-traffic.ts';

const NEVER = Number.POSITIVE_INFINITY;
const none = { bad: 0, total: 0 };
const HOUR_S = 3600;

test('begins with evidence of one, which is none', () => {
  expect(evidenceOf(noEvidence())).toBeCloseTo(1, 12);
});

test('multiplies each alternative by its likelihood ratio', () => {
  // s = 0.1, four bad events of the candidate: theta(5)/theta(1.25) = (0.5/1.4) / (0.125/1.025), to the fourth
  const block = { candidate: { bad: 4, total: 100 }, stable: { bad: 0, total: 900 } };

  const { logRatios } = weigh(noEvidence(), block, none, 1);

  expect(Math.exp(logRatios[3]!)).toBeCloseTo(0.5 * (0.5 / 1.4 / (0.125 / 1.025)) ** 4, 6);
});

test('is sure after four bad answers, not after three, beside a perfect stable with nine times the requests', () => {
  const block = (bad: number): Pair => ({ candidate: { bad, total: 100 }, stable: { bad: 0, total: 900 } });
  const peaks = [1, 2, 3, 4, 5].map(bad => weigh(noEvidence(), block(bad), none, 1).peak);

  expect(peaks.findIndex(peak => peak >= EVIDENCE_NEEDED)).toBe(3);
});

test('keeps the peak when later evidence speaks for the candidate', () => {
  const bad = { candidate: { bad: 10, total: 100 }, stable: { bad: 0, total: 900 } };
  const good = { candidate: { bad: 0, total: 1000 }, stable: { bad: 100, total: 1000 } };

  const peaked = weigh(noEvidence(), bad, none, 1);
  const after = weigh(peaked, good, none, 1);

  expect(after.peak).toBe(peaked.peak);
  expect(evidenceOf(after)).toBeLessThan(1);
});

test('stakes the reserve over time and never more than all of it', () => {
  const nothing = { candidate: { bad: 0, total: 1 }, stable: { bad: 0, total: 1 } };
  let evidence = noEvidence();
  for (const minute of [1, 2, 7, 7, 5, 60, 2880]) evidence = weigh(evidence, nothing, none, minute);

  expect(evidence.reserve).toBeCloseTo(0.5 / 2880, 12);
  // the first alternative sees no bad event, so its stake and the reserve are still all there was
  expect(Math.exp(evidence.logRatios[0]!) + evidence.reserve).toBeCloseTo(1, 12);
});

test('stays finite however overwhelming the evidence is', () => {
  const block = { candidate: { bad: 1e6, total: 1e6 }, stable: { bad: 0, total: 1e7 } };
  const evidence = weigh(noEvidence(), block, none, 1);

  expect(evidence.peak).toBe(1e9);
  expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
});

test('takes the mean of logarithms without overflow', () => {
  expect(logOfMean([5000, 5000])).toBeCloseTo(5000, 9);
  expect(logOfMean([0, Math.log(3)])).toBeCloseTo(Math.log(2), 12);
  expect(logOfMean([-5000, -5000])).toBeCloseTo(-5000, 9);
});

/** Each is 2,000 analyses of 360 looks, an hour of looks every ten seconds; at most 1 % may cry wolf. */
test.each([
  ['equal rates', { requests: 100, candidateShare: 0.1, candidateBad: 0.01, stableBad: 0.01 }],
  [
    'a candidate exactly at the tolerated ratio',
    { requests: 100, candidateShare: 0.1, candidateBad: 0.0125, stableBad: 0.01 },
  ],
  [
    'equal shares of rare errors',
    { requests: 100, candidateShare: 0.5, candidateBad: 0.00125, stableBad: 0.001 },
  ],
  [
    'frequent bad events at the tolerated ratio',
    { requests: 20, candidateShare: 0.3, candidateBad: 0.5, stableBad: 0.4 },
  ],
])('raises at most one false alarm in a hundred analyses for %s', (_, traffic) => {
  let alarms = 0;
  for (let run = 0; run < 2000; run++) if (detectedAfter(traffic, run, { hours: 1 }) !== NEVER) alarms++;

  expect(alarms).toBeLessThanOrEqual(20);
});

test('raises no false alarm while weight and error rate of both change together', () => {
  let alarms = 0;
  for (let run = 0; run < 1000; run++) {
    const changing = (second: number) => ({
      requests: 50,
      candidateShare: second < 1200 ? 0.05 : 0.5,
      // an outage of what both depend on, from minute 20 to 25
      candidateBad: second >= 1200 && second < 1500 ? 0.4 : 0.002,
      stableBad: second >= 1200 && second < 1500 ? 0.4 : 0.002,
    });
    if (detectedAfter(changing, run, { hours: 0.5 }) !== NEVER) alarms++;
  }

  expect(alarms).toBeLessThanOrEqual(10);
});

/** Seconds, one tenth of the traffic, errors of stable 0.1 %, a look every ten seconds. */
test.each([
  { errors: 1, rps: 10, median: [10, 10] },
  { errors: 0.2, rps: 1, median: [150, 300] },
  { errors: 0.2, rps: 10, median: [20, 40] },
  { errors: 0.05, rps: 10, median: [60, 120] },
  { errors: 0.05, rps: 100, median: [10, 10] },
  { errors: 0.01, rps: 10, median: [400, 900] },
])(
  'finds $errors errors at $rps requests a second within a median of $median s',
  ({ errors, rps, median }) => {
    const traffic = { requests: 10 * rps, candidateShare: 0.1, candidateBad: errors, stableBad: 0.001 };
    const seconds = medianOf(100, run => detectedAfter(traffic, run, { hours: 4 }));

    expect(seconds).toBeGreaterThanOrEqual(median[0]!);
    expect(seconds).toBeLessThanOrEqual(median[1]!);
  },
);

test('finds 6 % invalid answers of a fifth of 60 requests a second within seconds', () => {
  const traffic = { requests: 60, candidateShare: 0.2, candidateBad: 0.06, stableBad: 0 };
  const seconds = medianOf(300, run => detectedAfter(traffic, run, { hours: 0.1, lookS: 1 }));

  expect(seconds).toBeLessThanOrEqual(12);
});

test('compares a trickle that is looked at every second, where one look hardly ever sees both sides', () => {
  const trickle = (second: number) => ({
    requests: second % 2,
    candidateShare: 0.1,
    candidateBad: 1,
    stableBad: 0.001,
  });

  expect(medianOf(100, run => detectedAfter(trickle, run, { hours: 1, lookS: 1 }))).toBeLessThan(150);
});

test('finds a candidate that turns bad after an hour about as fast as one that was bad at once', () => {
  const sound = { requests: 1000, candidateShare: 0.5, candidateBad: 0.01, stableBad: 0.01 };
  const late = (second: number) => ({ ...sound, candidateBad: second > HOUR_S ? 0.05 : 0.01 });

  const seconds = medianOf(60, run => detectedAfter(late, run, { hours: 2 }));

  expect(seconds - HOUR_S).toBeGreaterThan(0);
  expect(seconds - HOUR_S).toBeLessThanOrEqual(60);
});

test('finds 80 % against 50 % bad in minutes, though bad events alone say little', () => {
  const traffic = { requests: 100, candidateShare: 0.1, candidateBad: 0.8, stableBad: 0.5 };

  expect(medianOf(100, run => detectedAfter(traffic, run, { hours: 1 }))).toBeLessThanOrEqual(200);
});

interface Looks {
  hours: number;
  lookS?: number;
}

function detectedAfter(
  traffic: Traffic | ((second: number) => Traffic),
  seed: number,
  { hours, lookS = 10 }: Looks,
): number {
  const random = seeded(seed * 7919 + 1);
  let state: ObjectiveState = newObjective();
  for (let second = lookS; second <= hours * HOUR_S; second += lookS) {
    const now = typeof traffic === 'function' ? traffic(second) : traffic;
    // the windows of the burn rate are not under test here, and would take most of the time
    state = absorb({ ...state, slices: [] }, answered(random, now), 0, second * 1000);
    if (state.peak >= EVIDENCE_NEEDED) return second;
  }
  return NEVER;
}

function medianOf(runs: number, run: (seed: number) => number): number {
  const sorted = Array.from({ length: runs }, (_, seed) => run(seed)).toSorted((a, b) => a - b);
  return sorted[Math.floor(runs / 2)]!;
}
