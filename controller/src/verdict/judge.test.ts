import type { Objectives, RevisionId } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { Analysis, BadOfTotal } from './analysis.ts';
import { judge } from './judge.ts';
import { absorb, newObjective } from './objective-state.ts';

const NOW = 10_000;
const none = { bad: 0, total: 0 };

interface Case {
  target?: number;
  breach?: 'rollback' | 'hold' | 'page' | 'notify';
  eventBudget?: number;
  candidate: BadOfTotal;
  stable?: BadOfTotal;
}

/** One look at one objective, ten seconds after the start; no stable, no control. */
function judged({ target = 0.999, breach = 'rollback', eventBudget = 500, candidate, stable }: Case) {
  const objectives: Objectives = { available: { target, breach } };
  const analysis: Analysis = {
    candidate: 'aaaaaaaaaaaa-00000000' as RevisionId,
    stable: stable ? ('bbbbbbbbbbbb-00000000' as RevisionId) : null,
    objectives,
    startedAt: 0,
    eventBudget,
  };
  const state = absorb(newObjective(), { candidate, stable: stable ?? none }, 0, NOW);
  return judge('available', state, analysis, NOW);
}

describe('degraded', () => {
  test('by the sequential test beside a stable, with the evidence', () => {
    const finding = judged({ candidate: { bad: 61, total: 1204 }, stable: { bad: 11, total: 11_004 } });

    expect(finding).toMatchObject({ verdict: 'degraded', test: 'sequential', needs: 100 });
    expect(finding.reason).toBe('errors 5.1 % against 0.1 %, after 1,204 requests');
    expect(finding.evidence).toBeGreaterThan(100);
  });

  test('by the burn rate alone where there is no control', () => {
    const finding = judged({ candidate: { bad: 50, total: 100 } });

    expect(finding).toMatchObject({ verdict: 'degraded', test: 'burn-rate' });
    expect(finding.reason).toBe(
      'errors 50.0 % against a target of 99.9 %, after 100 requests in the last 5 minutes',
    );
    expect(finding).not.toHaveProperty('evidence');
  });

  test('by the burn rate where stable answered nothing in the same time', () => {
    expect(judged({ candidate: { bad: 50, total: 100 }, stable: none })).toMatchObject({
      verdict: 'degraded',
      test: 'burn-rate',
    });
  });
});

describe('inconclusive', () => {
  test('without requests, however much stable answered and however small the event budget', () => {
    expect(judged({ candidate: none, stable: { bad: 0, total: 1e6 }, eventBudget: 0 })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'errors: no requests yet',
    });
  });

  test('with few requests', () => {
    expect(judged({ candidate: { bad: 0, total: 499 }, stable: { bad: 0, total: 4500 } })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'errors 0.0 % against 0.0 %, after 499 requests: too few to tell',
    });
  });

  test('in an outage that both are hit by', () => {
    const finding = judged({ candidate: { bad: 400, total: 1000 }, stable: { bad: 3500, total: 9000 } });

    expect(finding.verdict).toBe('inconclusive');
    expect(finding.reason).toMatch(/^errors 40\.0 % against 38\.9 %.*both are hit, so the cause is shared$/);
  });

  test('when the candidate surely misses its objective, though not fast enough to burn', () => {
    expect(judged({ target: 0.99, candidate: { bad: 50, total: 1000 } })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'errors 5.0 % against a target of 99 %, after 1,000 requests: misses its objective',
    });
  });

  test('when the evidence against the candidate is strong but not yet enough', () => {
    const finding = judged({
      target: 0.9,
      eventBudget: 50,
      candidate: { bad: 3, total: 100 },
      stable: { bad: 0, total: 900 },
    });

    expect(finding.verdict).toBe('inconclusive');
    expect(finding.reason).toContain('suspicious, not sure yet');
    expect(finding.evidence).toBeGreaterThan(20);
    expect(finding.evidence).toBeLessThan(100);
  });
});

describe('healthy', () => {
  test('after the event budget in peace', () => {
    expect(judged({ candidate: { bad: 1, total: 500 }, stable: { bad: 9, total: 4500 } })).toMatchObject({
      verdict: 'healthy',
      reason: 'errors 0.2 % against 0.2 %, after 500 requests',
    });
  });

  test('before the budget, when the candidate is surely within its objective', () => {
    const after = (total: number) =>
      judged({ target: 0.99, eventBudget: 100_000, candidate: { bad: 0, total } });

    expect(after(298).verdict).toBe('inconclusive');
    expect(after(299).verdict).toBe('healthy');
  });

  test('before the budget, when it is surely no worse than a stable that misses the objective as well', () => {
    const finding = judged({
      target: 0.95,
      eventBudget: 1_000_000,
      candidate: { bad: 900, total: 10_000 },
      stable: { bad: 1000, total: 10_000 },
    });

    expect(finding.verdict).toBe('healthy');
  });

  test('where an objective that only pages is missed: it holds up nothing', () => {
    const missed = { target: 0.99, candidate: { bad: 50, total: 1000 } };

    expect(judged({ ...missed, breach: 'page' }).verdict).toBe('healthy');
    expect(judged({ ...missed, breach: 'hold' }).verdict).toBe('inconclusive');
  });
});
