import { describe, expect, it } from 'vitest';
import type { Settled } from '../rollout/rollout-state.ts';
import { NOW, ONE, PROD, RELEASE, SCREENING, THREE, TWO, verdictWith } from './deployed.fixture.ts';
import { historyOf, recordOf } from './history.fixture.ts';
import { firstKnownAt, RanAt, ranAt } from './ran-at.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Times of a day, in minutes after midnight. */
const T0 = NOW - DAY;
const at = (minutes: number): number => T0 + minutes * MINUTE;

/** 1.1.0 was stable; 1.2.0 came at 100, went to 50 % at 120, and was rolled back at 140. */
const baked: Partial<Settled> = {
  outcome: 'baked',
  revision: TWO,
  stable: TWO,
  startedAt: at(10),
  at: at(60),
  trail: [
    { weight: 5, at: at(10), requests: 500 },
    { weight: 50, at: at(20), requests: 5000 },
    { weight: 100, at: at(50), requests: 500 },
  ],
};
const rolledBack: Partial<Settled> = {
  outcome: 'rolled-back',
  revision: THREE,
  stable: TWO,
  startedAt: at(100),
  at: at(140),
  trail: [{ weight: 5, at: at(100), requests: 900 }],
  verdict: verdictWith({ verdict: 'degraded', breach: 'rollback', reason: 'errors 5.1 % against 0.1 %' }),
};
const settledFirst: Partial<Settled> = {
  outcome: 'baked',
  revision: ONE,
  stable: ONE,
  startedAt: at(0),
  at: at(5),
  trail: [{ weight: 100, at: at(0), requests: 500 }],
};

const VIEW = {
  history: historyOf(
    [RELEASE, '1.0.0', at(0)],
    [RELEASE, '1.1.0', at(10)],
    [RELEASE, '1.2.0', at(100)],
    [RELEASE, '1.1.0', at(141)],
  ),
  records: [settledFirst, baked, rolledBack].map(recordOf),
};

function then(minutes: number, view = VIEW): RanAt | undefined {
  const [item] = ranAt(view, { environment: PROD, model: SCREENING, at: at(minutes), now: NOW });
  return item;
}
const sharesThen = (minutes: number, view = VIEW): string =>
  (then(minutes, view)?.shares ?? [])
    .map(({ version, weight, atMost }) => `${version} ${weight}${atMost === undefined ? '' : `–${atMost}`}`)
    .join(', ');

describe('what ran at a time', () => {
  it.each([
    ['the first release alone', 2, '1.0.0 100'],
    ['a baked one, until the next begins', 7, '1.0.0 100'],
    ['a canary at its first step, beside what was good', 12, '1.0.0 95, 1.1.0 5'],
    ['its second step', 25, '1.0.0 50, 1.1.0 50'],
    ['baking, with everything', 55, '1.1.0 100'],
    ['baked', 70, '1.1.0 100'],
    ['a canary that will be rolled back', 105, '1.1.0 95, 1.2.0 5'],
    ['after the rollback, before its commit', 140.5, '1.1.0 100'],
    ['long after', 1000, '1.1.0 100'],
  ])('%s', (_, minutes, shares) => {
    expect(sharesThen(minutes)).toBe(shares);
  });

  it('leaves open which step it was in where the record does not say when the last began', () => {
    expect(sharesThen(115)).toBe('1.1.0 50–95, 1.2.0 5–50');
  });

  it('names who released it by which commit, and the verdict on it', () => {
    const found = then(130);

    expect(found).toEqual(RanAt.parse(found));
    expect(found).toMatchObject({
      from: 'record',
      release: { version: '1.2.0', author: 'mei', subject: 'release 1.2.0', at: at(100) },
      rollout: {
        version: '1.2.0',
        outcome: 'rolled-back',
        at: at(140),
        verdict: { reason: 'errors 5.1 % against 0.1 %' },
      },
    });
  });

  it('says that only the release is known where no record tells', () => {
    const view = { ...VIEW, records: [] };

    expect(then(105, view)).toMatchObject({ from: 'release', shares: [{ version: '1.2.0', weight: 100 }] });
    expect(then(2000, { ...VIEW, history: historyOf([RELEASE, '1.2.0', at(1500)]) })).toMatchObject({
      from: 'release',
      release: { version: '1.2.0' },
    });
  });

  it('goes on at its weight after a deadline without a verdict', () => {
    const undecided = { ...rolledBack, outcome: 'undecided' as const, trail: [] };
    const view = { ...VIEW, records: [settledFirst, baked, undecided].map(recordOf) };

    expect(sharesThen(139, view)).toBe('1.1.0 95, 1.2.0 5');
    expect(sharesThen(140.5, view)).toBe('1.1.0 95, 1.2.0 5');
  });

  it('takes a stable that was rolled back for what had everything until then', () => {
    const left: Partial<Settled> = {
      ...baked,
      outcome: 'rolled-back',
      stable: ONE,
      startedAt: at(10),
      at: at(90),
      trail: [],
    };
    const view = { ...VIEW, records: [settledFirst, baked, left].map(recordOf) };

    expect(sharesThen(80, view)).toBe('1.1.0 100');
    expect(sharesThen(95, view)).toBe('1.0.0 100');
  });

  it('does not know what served after a rollout that another one superseded, until that one has settled', () => {
    const superseded: Partial<Settled> = { ...rolledBack, outcome: 'superseded', trail: [], stable: TWO };
    const next = [RELEASE, '1.0.0', at(139)] as [string, string, number];
    const history = (...more: (typeof next)[]) => historyOf([RELEASE, '1.2.0', at(100)], ...more);
    const records = [settledFirst, baked, superseded].map(recordOf);

    expect(then(200, { history: history(next), records })).toMatchObject({
      from: 'release',
      release: { version: '1.0.0' },
    });
    expect(sharesThen(200, { history: history([RELEASE, '1.1.0', at(139)]), records })).toBe('1.1.0 100');
    expect(
      then(200, { history: historyOf(), records: [{ ...superseded, stable: null }].map(recordOf) }),
    ).toMatchObject({
      from: 'nothing',
      shares: [],
    });
  });

  it('goes by the order of the branch where an author had a wrong clock', () => {
    const history = historyOf(
      [RELEASE, '1.0.0', at(50)],
      [RELEASE, '1.1.0', at(-9000)],
      [RELEASE, '1.2.0', NOW + DAY],
    );
    const view = { history, records: [] };

    expect(then(49, view)).toBeUndefined();
    expect(then(51, view)?.release?.version).toBe('1.2.0');
  });

  it('has each deployment of an environment, and none that was not there yet', () => {
    const other = 'environments/prod/triage/release.yaml';
    const dev = 'environments/dev/screening/release.yaml';
    const history = historyOf(
      [RELEASE, '1.0.0', at(0)],
      [other, '1.0.0', at(30)],
      [dev, '1.1.0', at(0)],
      [RELEASE, null, at(60)],
    );
    const models = (minutes: number): string[] =>
      ranAt({ history, records: [] }, { environment: PROD, at: at(minutes), now: NOW }).map(
        ({ model, release }) => `${model} ${release?.version}`,
      );

    expect(models(10)).toEqual(['screening 1.0.0']);
    expect(models(40)).toEqual(['screening 1.0.0', 'triage 1.0.0']);
    expect(models(70)).toEqual(['screening null', 'triage 1.0.0']);
  });

  it('knows when git begins to know', () => {
    expect(firstKnownAt(VIEW, NOW)).toBe(at(0));
    expect(firstKnownAt({ history: historyOf(), records: [] }, NOW)).toBeNull();
  });
});
