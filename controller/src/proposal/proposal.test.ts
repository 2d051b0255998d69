import type { Verdict } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { desired } from '../desired/desired.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from '../desired/manifest.fixture.ts';
import { type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import {
  COMMIT,
  MINUTE,
  openRollback,
  START,
  settledOf,
  specOf,
  stateOf,
  steadyOn,
  verdictOf,
} from '../rollout/rollout.fixture.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import { type ProposalInput, type Proposed, propose } from './proposal.ts';

const GOOD = specOf('1.2.0');
const NEXT = specOf('1.3.0');

const canaryOf = (revision = NEXT, phase: 'canary' | 'undecided' | 'baking' = 'canary'): RolloutState => ({
  ...steadyOn(GOOD),
  candidate: {
    revision,
    phase,
    step: 0,
    stepSince: START,
    stepRequests: 0,
    since: START,
    commit: COMMIT,
    trail: [],
  },
});

function proposed(part: Partial<ProposalInput> & { state?: RolloutState; verdict?: Verdict } = {}): Proposed {
  const { state = canaryOf(), verdict, ...rest } = part;
  const tree = treeOf([]);
  return propose({
    desired: desired(tree),
    history: tree.history,
    states: new Map([['prod/fraud', state]]),
    verdicts: new Map(verdict ? [['prod/fraud', verdict]] : []),
    openRollbacks: [],
    settled: [],
    now: START,
    ...rest,
  });
}

describe('a rollback', () => {
  test('is asked for by a degraded verdict that says so, with its evidence', () => {
    const [intent] = proposed({ verdict: verdictOf('degraded', 312) }).intents;

    expect(intent).toEqual({
      kind: 'rollback',
      environment: 'prod',
      model: 'fraud',
      from: NEXT,
      to: GOOD,
      cause: COMMIT,
      reason: 'errors 5.1 % against 0.1 %, after 312 requests',
      evidence: {
        objective: 'available',
        test: 'sequential',
        candidateBad: 312,
        candidateTotal: 312,
        stableBad: 0,
        stableTotal: 312,
      },
      by: 'controller',
    });
  });

  test('brings the evidence of the objective that decided, not of one that only calls', () => {
    const verdict = verdictOf('degraded', 312);
    const [finding] = verdict.findings;
    const called = { ...finding!, objective: 'fast' as const, breach: 'notify' as const };
    const decided = { ...finding!, evidence: 131.256, needs: 100 };

    const [intent] = proposed({ verdict: { ...verdict, findings: [called, decided] } }).intents;

    expect(intent).toMatchObject({ evidence: { objective: 'available', evidence: 131.3, needs: 100 } });
  });

  test.each<[string, Parameters<typeof proposed>[0]]>([
    ['nobody has looked yet', {}],
    ['the verdict is healthy', { verdict: verdictOf('healthy', 100) }],
    ['there is too little data', { verdict: verdictOf('inconclusive', 100) }],
    ['the data is absurd', { verdict: verdictOf('error', 100) }],
    ['the objective only holds', { verdict: verdictOf('degraded', 100, { breach: 'hold' }) }],
    ['the objective only pages', { verdict: verdictOf('degraded', 100, { breach: 'page' }) }],
    [
      'one is open already',
      { verdict: verdictOf('degraded', 100), openRollbacks: [openRollback(NEXT, GOOD)] },
    ],
    ['nothing newer is under way', { verdict: verdictOf('degraded', 100), state: steadyOn(GOOD) }],
    [
      'there is nothing to go back to',
      { verdict: verdictOf('degraded', 100), state: { ...canaryOf(), stable: null } },
    ],
    ['it is undecided and a person is called', { state: canaryOf(NEXT, 'undecided') }],
  ])('is not asked for when %s', (_, part) => {
    expect(proposed(part).intents).toEqual([]);
  });

  const impatient = specOf('1.3.0', {
    rollout: { canary: { undecided: { after: 10 * MINUTE, then: 'rollback' } } },
  });

  test('is asked for at the deadline where that was wanted', () => {
    expect(proposed({ state: canaryOf(impatient, 'undecided') }).intents).toMatchObject([
      { kind: 'rollback', reason: 'undecided at its deadline', evidence: {} },
    ]);
  });

  test('is not asked for before the deadline', () => {
    expect(proposed({ state: canaryOf(impatient) }).intents).toEqual([]);
  });

  test.each(['baking', 'canary', 'undecided'] as const)('is asked for in phase %s, paused or not', phase => {
    const state = { ...canaryOf(NEXT, phase), paused: { by: 'mei', reason: 'lunch', since: START } };

    expect(proposed({ state, verdict: verdictOf('degraded', 10) }).intents).toHaveLength(1);
  });
});

const TREE: FixtureCommit[] = [
  {
    ...versionFiles('fraud', '1.3.0'),
    ...environmentFile('staging'),
    ...environmentFile('prod', { promotesFrom: 'staging' }),
    ...releaseFile('staging', 'fraud', '1.3.0'),
  },
];

/** Staging has baked what it asks for; prod has nothing yet. */
function promotedFrom(files: FixtureCommit, prod?: Partial<RolloutState>): Proposed {
  const tree = treeOf([...TREE, files]);
  const state = desired(tree);
  const wanted = [...(state.environments.get('staging' as never)?.deployments.values() ?? [])][0]?.wanted;
  if (!wanted) throw new TypeError('staging wants nothing');
  const staging = { ...steadyOn(wanted), environment: 'staging' as never };
  const states = new Map([['staging/fraud', staging]]);
  if (prod) states.set('prod/fraud', stateOf(prod) as typeof staging);
  return proposed({ desired: state, history: tree.history, states, settled: [settledOf('baked', wanted)] });
}

describe('a promotion', () => {
  test.each<[string, Record<string, unknown>, number]>([
    ['is proposed where it is pushed', { promotion: { by: 'push' } }, 1],
    ['is proposed where it is a pull request', { promotion: { by: 'pull-request' } }, 1],
    ['is proposed where only proposals are made', { mode: 'propose' }, 1],
    ['is left to persons where they alone promote', { promotion: { by: 'person' } }, 0],
    ['is needless where the newest is served', { promotion: { by: 'newest' } }, 0],
    ['is not proposed where everything is only observed', { mode: 'observe' }, 0],
    ['comes from nowhere where nothing is upstream', { promotesFrom: undefined }, 0],
  ])('%s', (_, fields, count) => {
    const found = promotedFrom(environmentFile('prod', { promotesFrom: 'staging', ...fields }));

    expect(found.intents.filter(({ kind }) => kind === 'promotion')).toHaveLength(count);
  });

  test('stays away from a deployment that has halted', () => {
    const found = promotedFrom({}, { halted: { reason: 'errors', since: START } });

    expect(found.intents.filter(({ kind }) => kind === 'promotion')).toEqual([]);
  });

  test('that waits is told under the deployment it would change', () => {
    const freeze = { 'environments/prod/freezes/x.yaml': manifestText('Freeze', { reason: 'quarter end' }) };

    const { intents, waits } = promotedFrom(freeze);

    expect(intents.map(({ kind }) => kind)).toEqual(['record']);
    expect([...waits.keys()]).toEqual(['prod/fraud']);
  });
});

test('the safe direction goes first: rollbacks, records, promotions', () => {
  const tree = treeOf(TREE);
  const state = desired(tree);
  const wanted = [...(state.environments.get('staging' as never)?.deployments.values() ?? [])][0]?.wanted;
  const states = new Map<string, RolloutState>([
    ['staging/fraud', { ...steadyOn(wanted ?? NEXT), environment: 'staging' as never }],
    ['prod/abuse', { ...canaryOf(), model: 'abuse' as never }],
  ]);

  const { intents } = proposed({
    desired: state,
    history: tree.history,
    states,
    verdicts: new Map([['prod/abuse', verdictOf('degraded', 100)]]),
    settled: [settledOf('baked', NEXT)],
  });

  expect(intents.map(({ kind }) => kind)).toEqual(['rollback', 'record', 'promotion']);
});
