import {
  type IndicatorName,
  type InstanceId,
  type Loaded,
  type Objectives,
  type RevisionId,
  Verdict,
} from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Analysis, AnalysisState, Attest, BadOfTotal, InstanceCounts, Pair } from './analysis.ts';
import { answered, seeded, type Traffic } from './simulated-traffic.ts';
import { startAnalysis, verdict } from './verdict.ts';

const candidate = 'aaaaaaaaaaaa-00000000' as RevisionId;
const stable = 'bbbbbbbbbbbb-00000000' as RevisionId;
const START = 1_000_000;
const available = { target: 0.999, breach: 'rollback' } as const;

function analysisOf(objectives: Objectives, more: Partial<Analysis> = {}): Analysis {
  return { candidate, stable, objectives, startedAt: START, eventBudget: 500, ...more };
}

type Measured = Partial<Record<IndicatorName, BadOfTotal>>;

function heard(revision: RevisionId, now: number, measured: Measured, instance = '00000001'): InstanceCounts {
  const tallies = Object.entries(measured).map(([name, { bad, total }]) => [
    name,
    { good: total - bad, total },
  ]);
  return {
    instanceId: instance as InstanceId,
    startedAt: START,
    heardAt: now,
    revision,
    attempts: Math.max(0, ...Object.values(measured).map(({ total }) => total)),
    indicators: Object.fromEntries(tallies),
  };
}

/** One look, ten seconds after the start unless told otherwise. */
function judged(
  analysis: Analysis,
  sides: { candidate?: Measured; stable?: Measured },
  afterS = 10,
): Verdict {
  const now = START + afterS * 1000;
  const counts = [heard(candidate, now, sides.candidate ?? {}), heard(stable, now, sides.stable ?? {})];
  return Verdict.parse(verdict(analysis, counts, [], startAnalysis(analysis, [], START), now).verdict);
}

function failed(code: string, now: number): Attest {
  const loaded = { revision: candidate, state: 'failed', failure: { code, message: 'row 3 is off' } };
  return { instanceId: '00000001' as InstanceId, heardAt: now, loaded: loaded as Loaded };
}

describe('degraded', () => {
  test('when the candidate errs far more than stable, with the reason in words', () => {
    const result = judged(analysisOf({ available }), {
      candidate: { available: { bad: 61, total: 1204 } },
      stable: { available: { bad: 11, total: 11_004 } },
    });

    expect(result).toMatchObject({
      verdict: 'degraded',
      breach: 'rollback',
      reason: 'errors 5.1 % against 0.1 %, after 1,204 requests',
      requests: 1204,
    });
    expect(result.findings).toMatchObject([{ objective: 'available', test: 'sequential', needs: 100 }]);
    expect(result.findings[0]?.evidence).toBeGreaterThan(100);
  });

  test('with the strongest consequence that a degraded objective asks for, and its reason', () => {
    const bad = { bad: 300, total: 1000 };
    const good = { bad: 0, total: 9000 };
    const result = judged(
      analysisOf({
        available: { target: 0.999, breach: 'notify' },
        valid: { target: 0.999, breach: 'hold' },
        fast: { under: 25, target: 0.99, breach: 'page' },
      }),
      {
        candidate: { available: bad, valid: bad, fast: bad },
        stable: { available: good, valid: good, fast: good },
      },
    );

    expect(result).toMatchObject({ verdict: 'degraded', breach: 'hold' });
    expect(result.reason).toBe('invalid answers 30.0 % against 0.0 %, after 1,000 requests');
  });

  test('stays so when the candidate is good again, and when every runtime falls silent', () => {
    const analysis = analysisOf({ available });
    const look = (state: AnalysisState, bad: number, total: number, now: number) =>
      verdict(
        analysis,
        [
          heard(candidate, now, { available: { bad, total } }),
          heard(stable, now, { available: { bad: 100, total: 10 * total } }),
        ],
        [],
        state,
        now,
      );

    const first = look(startAnalysis(analysis, [], START), 300, 1000, START + 10_000);
    const second = look(first.state, 300, 500_000, START + 20_000);
    const silent = verdict(analysis, [], [], second.state, START + 3_600_000);

    expect([first, second, silent].map(({ verdict }) => verdict.verdict)).toEqual(Array(3).fill('degraded'));
  });

  test('by an attest alone, without a single request', () => {
    const analysis = analysisOf({ available });
    const now = START + 2000;

    const result = verdict(
      analysis,
      [],
      [failed('E_MODEL_GOLDEN', now)],
      startAnalysis(analysis, [], START),
      now,
    );

    expect(result.verdict).toMatchObject({
      verdict: 'degraded',
      breach: 'rollback',
      reason: 'does not give its golden answers: row 3 is off',
      findings: [{ objective: 'loads' }, { objective: 'available', verdict: 'inconclusive' }],
    });
  });
});

describe('inconclusive', () => {
  test('while one of two objectives has no data', () => {
    const objectives = { available, valid: { target: 0.99, breach: 'hold' } } as const;

    expect(
      judged(analysisOf(objectives), { candidate: { available: { bad: 0, total: 900 } } }),
    ).toMatchObject({
      verdict: 'inconclusive',
      reason: 'invalid answers: no requests yet',
    });
  });

  test('without objectives until the event budget is spent', () => {
    const now = START + 10_000;
    const after = (attempts: number, eventBudget = 500) => {
      const analysis = analysisOf({}, { eventBudget });
      const counts = [{ ...heard(candidate, now, {}), attempts }];
      return verdict(analysis, counts, [], startAnalysis(analysis, [], START), now).verdict;
    };

    expect(after(0, 0)).toMatchObject({ verdict: 'inconclusive', reason: 'no objectives, no requests yet' });
    expect(after(499)).toMatchObject({ verdict: 'inconclusive', requests: 499, findings: [] });
    expect(after(500)).toMatchObject({ verdict: 'healthy', reason: 'no objectives, after 500 requests' });
  });
});

describe('under simulated traffic', () => {
  const sound = { requests: 300, candidateShare: 0.2, candidateBad: 0.001, stableBad: 0.001 };

  test('never blames the candidate for an outage that both are hit by', () => {
    for (let run = 0; run < 40; run++) {
      const kinds = simulate(run, look =>
        look > 10 && look < 40 ? { ...sound, candidateBad: 0.5, stableBad: 0.5 } : sound,
      );

      expect(kinds).not.toContain('degraded');
    }
  });

  test('calls a sound candidate healthy, and hardly ever anything worse', () => {
    const runs = Array.from({ length: 100 }, (_, run) => simulate(run, () => sound));

    expect(runs.filter(kinds => kinds.includes('degraded')).length).toBeLessThanOrEqual(1);
    expect(runs.filter(kinds => kinds.at(-1) === 'healthy').length).toBeGreaterThanOrEqual(95);
  });

  test('never calls a candidate healthy on the way to finding it out', () => {
    for (let run = 0; run < 40; run++) {
      const kinds = simulate(run, () => ({ ...sound, candidateBad: 0.06, stableBad: 0 }));

      expect(kinds.at(-1)).toBe('degraded');
      expect(kinds).not.toContain('healthy');
    }
  });
});

describe('error', () => {
  test('when no runtime says a word for more than fifteen seconds', () => {
    const analysis = analysisOf({ available });
    const start = startAnalysis(analysis, [], START);
    const counts = [heard(candidate, START + 20_000, { available: { bad: 0, total: 5000 } })];

    const verdictAt = (now: number) => verdict(analysis, counts, [], start, now).verdict.verdict;

    expect(verdictAt(START + 35_000)).toBe('healthy');
    expect(verdictAt(START + 35_001)).toBe('error');
    expect(verdict(analysis, [], [], start, START + 15_000).verdict.verdict).toBe('inconclusive');
    expect(verdict(analysis, [], [], start, START + 15_001).verdict.verdict).toBe('error');
  });

  test('when an instance counts more good answers than answers', () => {
    const result = judged(analysisOf({ available }), { candidate: { available: { bad: -1, total: 1000 } } });

    expect(result.verdict).toBe('error');
    expect(result.reason).toContain('1001 good of 1000 for "available"');
  });
});

describe('state', () => {
  test('leaves out what was counted before the analysis began', () => {
    const analysis = analysisOf({ available });
    const old = { ...heard(stable, START, { available: { bad: 9000, total: 9000 } }), startedAt: 5 };
    const state = startAnalysis(analysis, [old], START);
    const now = START + 1000;

    const { verdict: result } = verdict(
      analysis,
      [
        { ...heard(candidate, now, { available: { bad: 2, total: 100 } }), startedAt: 5 },
        { ...heard(stable, now, { available: { bad: 9001, total: 9900 } }), startedAt: 5 },
      ],
      [],
      state,
      now,
    );

    expect(result.findings[0]).toMatchObject({
      candidate: { bad: 2, total: 100 },
      stable: { bad: 1, total: 900 },
    });
  });

  test('stays when stable has left, and is then held against the target', () => {
    const sums = { candidate: { bad: 1, total: 600 }, stable: { bad: 9, total: 5400 } };
    const analysis = analysisOf({ available });
    const { state } = verdict(
      analysis,
      bothHeard(sums, START),
      [],
      startAnalysis(analysis, [], START),
      START,
    );

    const alone = verdict({ ...analysis, stable: null }, bothHeard(sums, START), [], state, START);

    expect(alone.verdict).toMatchObject({
      verdict: 'healthy',
      reason: 'errors 0.2 % against a target of 99.9 %, after 600 requests',
      findings: [sums],
    });
  });

  test('is the very same one when nothing new was heard', () => {
    const analysis = analysisOf({ available });
    const counts = [heard(candidate, START, { available: { bad: 1, total: 10 } })];
    const { state } = verdict(analysis, counts, [], startAnalysis(analysis, [], START), START + 1000);

    expect(verdict(analysis, counts, [], state, START + 9000).state).toBe(state);
  });

  test.each([
    ['another candidate', { candidate: 'dddddddddddd-00000000' as RevisionId }],
    ['another try of the same candidate', { startedAt: START + 1 }],
  ])('begins anew for %s', (_, other) => {
    const old = startAnalysis(analysisOf({ available }), [], START);

    const { state } = verdict(analysisOf({ available }, other), [], [], { ...old, requests: 77 }, START + 2);

    expect(state).toMatchObject({ ...other, requests: 0 });
  });

  test('goes on exactly where it was after a way through JSON', () => {
    const side = fc.record({ bad: fc.nat(5), total: fc.integer({ min: 5, max: 200 }) });
    const step = fc.record({ candidate: side, stable: side, gapMs: fc.nat(90_000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), steps => {
        expect(replay(steps, state => JSON.parse(JSON.stringify(state)))).toEqual(
          replay(steps, state => state),
        );
      }),
    );
  });

  test('stays small over two days of looks', () => {
    const analysis = analysisOf({ available });
    const random = seeded(1);
    let state = startAnalysis(analysis, [], START);
    const sums = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } };
    for (let look = 1; look <= 6000; look++) {
      const now = START + look * 28_800;
      addUp(
        sums,
        answered(random, { requests: 100, candidateShare: 0.1, candidateBad: 0.001, stableBad: 0.001 }),
      );
      state = verdict(analysis, bothHeard(sums, now), [], state, now).state;
    }

    expect(JSON.stringify(state).length).toBeLessThan(16_384);
    expect(state.objectives.available).toMatchObject(sums);
  });
});

/** The kind of verdict at each of sixty looks, one every five seconds. */
function simulate(seed: number, trafficAt: (look: number) => Traffic): string[] {
  const analysis = analysisOf({ available });
  const random = seeded(seed);
  const sums = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } };
  let state = startAnalysis(analysis, [], START);
  return Array.from({ length: 60 }, (_, look) => {
    const now = START + look * 5000;
    addUp(sums, answered(random, trafficAt(look)));
    const result = verdict(analysis, bothHeard(sums, now), [], state, now);
    state = result.state;
    return result.verdict.verdict;
  });
}

function addUp(sums: Pair, pair: Pair): void {
  for (const side of ['candidate', 'stable'] as const) {
    sums[side].bad += pair[side].bad;
    sums[side].total += pair[side].total;
  }
}

function bothHeard(sums: Pair, now: number): InstanceCounts[] {
  return [
    heard(candidate, now, { available: { ...sums.candidate } }),
    heard(stable, now, { available: { ...sums.stable } }),
  ];
}

function replay(
  steps: readonly (Pair & { gapMs: number })[],
  between: (state: AnalysisState) => AnalysisState,
): unknown {
  const analysis = analysisOf({ available });
  let state = startAnalysis(analysis, [], START);
  let now = START;
  const sums = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } };
  return steps.map(step => {
    now += step.gapMs;
    addUp(sums, step);
    const result = verdict(analysis, bothHeard(sums, now), [], between(state), now);
    state = result.state;
    return result;
  });
}
