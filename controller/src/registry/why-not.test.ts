import type { EnvironmentName, ModelName, VersionDigest, VersionLabel, Wait } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desired } from '../desired/desired.ts';
import type { DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import {
  environmentFile,
  holdFile,
  manifestText,
  releaseFile,
  versionFiles,
} from '../desired/manifest.fixture.ts';
import { FIRST_COMMIT_AT, type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { intend, type Operation } from '../operation/open-operations.ts';
import { promotionIntent, rollbackIntent } from '../proposal/intent.fixture.ts';
import { promotionCases } from '../proposal/promotion.ts';
import type { PromotionInput } from '../proposal/promotion-case.ts';
import { stateOf } from '../rollout/rollout.fixture.ts';
import { backendsOf } from '../rollout/rollout.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import { REASON_KINDS, type WhyNotInput } from './why-not/reason.ts';
import { ruleReasons } from './why-not/rule-reasons.ts';
import { WhyNot, whyNot } from './why-not.ts';

const NOW = FIRST_COMMIT_AT + 100 * 60_000;
const FRAUD = 'fraud' as ModelName;
const [DEV, STAGING, PROD] = ['dev', 'staging', 'prod'] as EnvironmentName[] as [
  EnvironmentName,
  EnvironmentName,
  EnvironmentName,
];
const version = (label: string, fields = {}): FixtureCommit => versionFiles('fraud', label, fields);
const release = (environment: string, label: string): FixtureCommit =>
  releaseFile(environment, 'fraud', label);
const hold = (environment: string, label: string, fields = {}): FixtureCommit =>
  holdFile(environment, 'fraud', label, digestOf(label), fields);
const freeze = (fields: object): FixtureCommit => ({
  'environments/prod/freezes/party.yaml': manifestText('Freeze', fields),
});
const prodSays = (fields: object): FixtureCommit =>
  environmentFile('prod', { promotesFrom: 'staging', ...fields });

/** dev takes the newest, staging has 1.1.0 and prod 1.0.0, all of them baked. */
const BEGIN: FixtureCommit = {
  ...version('1.0.0'),
  ...version('1.1.0'),
  ...environmentFile('dev', { promotion: { by: 'newest' } }),
  ...environmentFile('staging', { promotesFrom: 'dev' }),
  ...prodSays({}),
  ...release('staging', '1.1.0'),
  ...release('prod', '1.0.0'),
};

interface World {
  commits?: FixtureCommit[];
  states?: Partial<Record<'dev' | 'staging' | 'prod', Partial<RolloutState>>>;
  open?: (state: DesiredState) => Operation[];
  made?: WhyNotInput['made'];
  waits?: Record<string, Wait>;
  /** Unless said, what the rollout wants served. */
  served?: Record<string, { version: VersionLabel; digest: VersionDigest; weight: number }[]>;
  requests?: number;
}

function inputOf({
  commits = [],
  states = {},
  open,
  made = null,
  waits = {},
  served,
  requests = 0,
}: World): WhyNotInput {
  const tree = treeOf([BEGIN, ...commits]);
  const state = desired(tree);
  const bakedStates = new Map(
    [DEV, STAGING, PROD].flatMap(name => {
      const wanted = wantedIn(state, name);
      const part = states[name as 'dev'];
      return wanted || part ? [[`${name}/${FRAUD}` as const, bakedOn(name, wanted, part)]] : [];
    }),
  );
  return {
    desired: state,
    history: tree.history,
    states: bakedStates,
    requests: new Map([[`${STAGING}/${FRAUD}` as const, requests]]),
    now: NOW,
    open: open?.(state) ?? [],
    served: subject => served?.[subject] ?? attested(bakedStates.get(subject as never)),
    waits: subject => (waits[subject] ? [waits[subject]] : []),
    remote: { branch: 'main', remoteFailure: null },
    made,
  };
}

function attested(state: RolloutState | undefined) {
  return state ? backendsOf(state) : [];
}

function bakedOn(
  environment: EnvironmentName,
  wanted: RevisionSpec | null,
  part: Partial<RolloutState> = {},
): RolloutState {
  const baked = wanted ? [{ id: wanted.id, digest: wanted.digest, version: wanted.version, at: NOW }] : [];
  return stateOf({ environment, stable: wanted, baked, since: NOW - 60_000, ...part });
}

function wantedIn(state: DesiredState, name: EnvironmentName): RevisionSpec | null {
  return state.environments.get(name)?.deployments.get(FRAUD)?.wanted ?? null;
}

function digestOf(label: string): string {
  const found = desired(treeOf([{ ...version('1.0.0'), ...version('1.1.0'), ...version('1.2.0') }]));
  return found.models.get(FRAUD)?.versions.find(it => it.label === label)?.digest ?? '';
}

function ask(world: World, environment: string, label: string): WhyNot {
  const asked = {
    environment: environment as EnvironmentName,
    model: FRAUD,
    version: label as VersionLabel,
  };
  return WhyNot.parse(whyNot(asked, inputOf(world)));
}

const wait = (what: string): Wait => ({
  what,
  since: 1,
  until: null,
  who: 'time',
  command: 'switchback status',
});
const spec = (state: DesiredState, name: EnvironmentName): RevisionSpec =>
  wantedIn(state, name) as RevisionSpec;

interface Row {
  world: World;
  asked: [environment: string, version: string];
  kinds: (typeof REASON_KINDS)[number][];
  says: RegExp;
  command: string;
  /** Percent that it still has; else none. */
  weight?: number;
}

const ROWS: Record<string, Row> = {
  'nothing is in the way': {
    world: {},
    asked: ['prod', '1.1.0'],
    kinds: ['next'],
    says: /nothing is in the way of 1\.1\.0/,
    command: 'switchback events --follow',
  },
  'a hold': {
    world: { commits: [hold('prod', '1.1.0')] },
    asked: ['prod', '1.1.0'],
    kinds: ['held'],
    says: /on hold in prod by environments\/prod\/fraud\/holds\/1\.1\.0\.yaml: found bad/,
    command: 'switchback lift prod/fraud@1.1.0',
  },
  'it ran there before': {
    world: { commits: [release('prod', '1.1.0'), release('prod', '1.0.0')] },
    asked: ['prod', '1.1.0'],
    kinds: ['ran-before'],
    says: /prod had 1\.1\.0 before, left by [0-9a-f]{7} \(commit 2\): automation never brings a version back/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'upstream runs another': {
    world: { commits: [version('1.2.0')] },
    asked: ['prod', '1.2.0'],
    kinds: ['not-upstream', 'other-first'],
    says: /staging\/fraud runs 1\.1\.0, not 1\.2\.0/,
    command: 'switchback why-not staging/fraud@1.2.0',
  },
  'it has not baked upstream': {
    world: { states: { staging: { baked: [] } } },
    asked: ['prod', '1.1.0'],
    kinds: ['upstream'],
    says: /has not baked there/,
    command: 'switchback status',
  },
  'upstream still judges it': {
    world: { states: { staging: { baked: [] } }, waits: { 'staging/fraud': wait('1.1.0 is in canary') } },
    asked: ['prod', '1.1.0'],
    kinds: ['upstream'],
    says: /staging\/fraud: 1\.1\.0 is in canary/,
    command: 'switchback status',
  },
  'upstream can not be read': {
    world: { commits: [{ 'environments/staging/fraud/release.yaml': 'version: [' }] },
    asked: ['prod', '1.1.0'],
    kinds: ['unreadable'],
    says: /environments\/staging\/fraud\/release\.yaml:\d+ can not be read, and what staging\/fraud runs stays: is not valid YAML/,
    command: 'switchback validate',
  },
  'no upstream at all': {
    world: { commits: [environmentFile('prod')] },
    asked: ['prod', '1.1.0'],
    kinds: ['no-upstream'],
    says: /promotes from no environment/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'another upstream comes first': {
    world: {
      commits: [version('1.2.0'), environmentFile('prod', { promotesFrom: ['dev', 'staging'] })],
    },
    asked: ['prod', '1.1.0'],
    kinds: ['other-first'],
    says: /1\.2\.0 of dev is to be promoted to prod, not 1\.1\.0/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'the environment only observes': {
    world: { commits: [prodSays({ mode: 'observe' })] },
    asked: ['prod', '1.1.0'],
    kinds: ['mode'],
    says: /prod is in mode observe/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'people promote there': {
    world: { commits: [prodSays({ promotion: { by: 'person' } })] },
    asked: ['prod', '1.1.0'],
    kinds: ['by-person'],
    says: /only people promote into prod/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'what runs is bad and has nothing behind it': {
    world: { states: { prod: { halted: { reason: 'errors 5 %', since: 7 } } } },
    asked: ['prod', '1.1.0'],
    kinds: ['halted'],
    says: /nothing to go back to.*errors 5 %/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'its release can not be read': {
    world: {
      commits: [{ 'environments/prod/fraud/release.yaml': manifestText('Release', { version: 1.1 }) }],
    },
    asked: ['prod', '1.1.0'],
    kinds: ['unreadable'],
    says: /environments\/prod\/fraud\/release\.yaml:3 can not be read.*Quote it/,
    command: 'switchback validate',
  },
  'its settings can not be read': {
    world: { commits: [{ 'models/fraud/serving.yaml': 'limit: {}' }] },
    asked: ['prod', '1.1.0'],
    kinds: ['unreadable', 'unreadable'],
    says: /models\/fraud\/serving\.yaml:?\d* can not be read/,
    command: 'switchback validate',
  },
  'the environment can not be read': {
    world: { commits: [{ 'environments/prod/environment.yaml': 'mood: act' }] },
    asked: ['prod', '1.1.0'],
    kinds: ['unreadable'],
    says: /environments\/prod\/environment\.yaml:?\d* can not be read/,
    command: 'switchback validate',
  },
  'the version can not be read': {
    world: { commits: [{ 'models/fraud/versions/1.2.0/version.yaml': 'kind: ModelVersion' }] },
    asked: ['prod', '1.2.0'],
    kinds: ['unreadable'],
    says: /versions\/1\.2\.0\/version\.yaml:?\d* can not be read, and nothing serves it/,
    command: 'switchback validate',
  },
  'a freeze': {
    world: { commits: [freeze({ reason: 'holidays', by: 'mei', until: '2099-01-01T00:00:00Z' })] },
    asked: ['prod', '1.1.0'],
    kinds: ['frozen'],
    says: /prod is frozen: holidays/,
    command: 'git rm environments/prod/freezes/party.yaml && git commit',
  },
  'soak by time and by requests': {
    world: { commits: [prodSays({ gates: { soak: { for: '1h', requests: 10 } } })], requests: 4 },
    asked: ['prod', '1.1.0'],
    kinds: ['gate', 'gate'],
    says: /1\.1\.0 soaks in staging|4 of 10 requests/,
    command: 'switchback promote fraud@1.1.0 prod',
  },
  'a worse evaluation': {
    world: {
      commits: [prodSays({ gates: { evaluation: { auc: { worseBy: 0.01 } } } })],
    },
    asked: ['prod', '1.1.0'],
    kinds: ['gate'],
    says: /1\.1\.0 has no auc/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
  'a fact that it lacks': {
    world: { commits: [prodSays({ gates: { require: ['lineage.datasets'] } })] },
    asked: ['prod', '1.1.0'],
    kinds: ['gate'],
    says: /1\.1\.0 lacks lineage\.datasets/,
    command: 'switchback register … --name fraud',
  },
  'a newer one where the newest is served': {
    world: {},
    asked: ['dev', '1.0.0'],
    kinds: ['newer'],
    says: /dev serves the newest version, which is 1\.1\.0, not 1\.0\.0/,
    command: 'switchback promote fraud@1.0.0 dev --reason …',
  },
  'a hold on the newest': {
    world: { commits: [hold('dev', '1.1.0')] },
    asked: ['dev', '1.1.0'],
    kinds: ['held'],
    says: /on hold in dev/,
    command: 'switchback lift dev/fraud@1.1.0',
  },
  'a release where the newest would be served': {
    world: { commits: [release('dev', '1.0.0')] },
    asked: ['dev', '1.1.0'],
    kinds: ['pinned'],
    says: /environments\/dev\/fraud\/release\.yaml pins 1\.0\.0/,
    command: 'switchback promote fraud@1.1.0 dev --reason …',
  },
  'it is released, and its runtime is away': {
    world: {
      commits: [release('prod', '1.1.0')],
      states: { prod: { stable: null } },
      waits: { 'prod/fraud': wait('a runtime of prod to be started') },
    },
    asked: ['prod', '1.1.0'],
    kinds: ['rollout'],
    says: /a runtime of prod to be started/,
    command: 'switchback status',
  },
  'it is released, and no cycle has seen it': {
    world: { commits: [release('prod', '1.1.0')], states: { prod: { stable: null } } },
    asked: ['prod', '1.1.0'],
    kinds: ['next'],
    says: /prod\/fraud to take up 1\.1\.0, which git asks for/,
    command: 'switchback events --follow',
  },
  'it is being rolled back': {
    world: {
      commits: [release('prod', '1.1.0')],
      open: state => [
        intend(
          rollbackIntent(spec(state, PROD), { ...spec(state, PROD), digest: digestOf('1.0.0') as never }),
          'intended',
          NOW,
        ).operation,
      ],
    },
    asked: ['prod', '1.1.0'],
    kinds: ['rollback'],
    weight: 100,
    says: /1\.1\.0 is being rolled back \(errors 5\.1 % .*\); prod\/fraud: all traffic back/,
    command: 'switchback status',
  },
  'its promotion is being written': {
    world: {
      open: state => [intend(promotionIntent(spec(state, STAGING)), 'intended', NOW).operation],
    },
    asked: ['prod', '1.1.0'],
    kinds: ['git'],
    says: /the promotion is not in git yet/,
    command: 'switchback status',
  },
  'its promotion was made before on this commit': {
    world: { made: { state: 'superseded', updatedAt: NOW - 5 } },
    asked: ['prod', '1.1.0'],
    kinds: ['git'],
    says: /was superseded before on this very commit/,
    command: 'switchback promote fraud@1.1.0 prod --reason …',
  },
};

describe('why not', () => {
  it.each(Object.entries(ROWS))('%s', (_, { world, asked, kinds, says, command, weight: left = 0 }) => {
    const { reasons, weight } = ask(world, ...asked);

    expect(reasons.map(({ kind }) => kind)).toEqual(kinds);
    expect(weight).toBe(left);
    expect(reasons[0]?.what).toMatch(says);
    expect(reasons[0]?.command).toBe(command);
    for (const { who, since } of reasons) {
      expect(who).not.toBe('');
      expect(since).toBeLessThanOrEqual(NOW);
    }
  });

  it('has a row for every kind of reason', () => {
    expect(new Set(Object.values(ROWS).flatMap(({ kinds }) => kinds))).toEqual(new Set(REASON_KINDS));
  });

  it('gives every reason at once, gates too', () => {
    const { reasons } = ask(
      {
        commits: [
          hold('prod', '1.1.0', { until: '2099-01-01T00:00:00Z' }),
          prodSays({ mode: 'observe', gates: { soak: { for: '1h' }, require: ['lineage'] } }),
          freeze({ reason: 'holidays' }),
        ],
        states: { staging: { baked: [] } },
      },
      'prod',
      '1.1.0',
    );

    expect(reasons.map(({ kind }) => kind)).toEqual(['mode', 'held', 'upstream', 'frozen', 'gate']);
    expect(reasons[1]).toMatchObject({
      until: Date.parse('2099-01-01T00:00:00Z'),
      since: FIRST_COMMIT_AT + 60_000,
    });
    expect(reasons[3]).toMatchObject({ since: FIRST_COMMIT_AT + 3 * 60_000 });
  });

  it('has no reason for what is there, and says with which share', () => {
    expect(ask({}, 'prod', '1.0.0')).toMatchObject({ weight: 100, wanted: '1.0.0', reasons: [] });
  });

  it('is not there while it failed or waits for its files, whatever share it shall have', () => {
    const candidate = { commits: [release('prod', '1.1.0')], served: { 'prod/fraud': [] } };

    expect(ask(candidate, 'prod', '1.1.0')).toMatchObject({ weight: 0, wanted: '1.1.0' });
  });

  it('is there although its files were changed since: what runs of it stays', () => {
    const changed = { commits: [version('1.0.0', { seed: 'others' })] };
    const backend = {
      version: '1.0.0' as VersionLabel,
      digest: digestOf('1.0.0') as VersionDigest,
      weight: 100,
    };

    const there = ask({ ...changed, served: { 'prod/fraud': [backend] } }, 'prod', '1.0.0');

    expect(there).toMatchObject({ weight: 100, reasons: [{ kind: 'unreadable' }] });
    expect(there.reasons[0]?.what).toMatch(
      /version\.yaml can not be read, and what runs of it stays: was changed after/,
    );
    expect(
      ask({ ...changed, served: {}, states: { prod: { stable: null } } }, 'prod', '1.0.0').reasons[0]?.what,
    ).toMatch(/nothing serves it/);
  });

  it('names the version that keeps the newest from being taken', () => {
    const changed = { commits: [version('1.1.0', { seed: 'others' })] };

    expect(ask(changed, 'dev', '1.0.0').reasons[0]?.what).toMatch(
      /^models\/fraud\/versions\/1\.1\.0\/version\.yaml can not be read/,
    );
  });

  it('names the nearest of what git does not know', () => {
    expect(() => ask({}, 'prod', '1.1.1')).toThrow(/no version 1\.1\.1 of fraud.*Did you mean "1\.1\.0"/);
    expect(() => ask({}, 'prd', '1.1.0')).toThrow(/no environment "prd".*Did you mean "prod"/);
  });
});

const step: fc.Arbitrary<FixtureCommit> = fc.oneof(
  fc
    .tuple(fc.constantFrom('dev', 'staging', 'prod'), fc.constantFrom('1.0.0', '1.1.0', '1.2.0'))
    .chain(([name, label]) =>
      fc.constantFrom(
        release(name, label),
        hold(name, label),
        hold(name, label, { until: '2020-01-01T00:00:00Z' }),
      ),
    ),
  fc.constantFrom(
    version('1.2.0'),
    { 'environments/prod/fraud/release.yaml': null },
    { 'environments/prod/fraud/release.yaml': 'version: [' },
    { 'environments/staging/fraud/release.yaml': null },
    prodSays({ promotesFrom: ['staging', 'dev'] }),
    prodSays({ promotion: { by: 'person' } }),
    prodSays({ mode: 'observe' }),
    prodSays({}),
  ),
);
const standing = fc.constantFrom<Partial<RolloutState>>(
  {},
  {},
  {},
  {},
  { baked: [] },
  { stable: null },
  { halted: { reason: 'bad', since: 1 } },
);

it('a reason of the rule is given exactly for what the rule does not promote, after any history', () => {
  const world = fc.record({
    commits: fc.array(step, { maxLength: 5 }),
    dev: standing,
    staging: standing,
    prod: standing,
  });
  const seen = { allowed: 0, refused: 0 };

  fc.assert(
    fc.property(world, ({ commits, ...states }) => {
      const input = inputOf({ commits, states });
      const cases = promotionCases(input as PromotionInput);
      for (const environment of input.desired.environments.values())
        for (const model of input.desired.models.values())
          for (const one of model.versions) {
            const subject = `${environment.name}/${model.name}` as const;
            const found = ruleReasons({ subject, environment, model, version: one }, input);
            const isPromoted = cases.some(
              it => it.environment.name === environment.name && it.version.digest === one.digest,
            );
            const isThere = environment.deployments.get(model.name)?.wanted?.digest === one.digest;
            seen[isPromoted ? 'allowed' : 'refused']++;
            expect(found.allowed !== null).toBe(isPromoted);
            if (found.allowed === null && !isThere && environment.promotion.by !== 'newest')
              expect(found.reasons, `${subject}@${one.label}`).not.toEqual([]);
          }
    }),
    { numRuns: 200 },
  );
  expect(seen.allowed).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(20);
});
