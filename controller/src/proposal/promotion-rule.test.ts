import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { desired } from '../desired/desired.ts';
import type { DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import { revision } from '../desired/identity.ts';
import { environmentFile, holdFile, releaseFile, versionFiles } from '../desired/manifest.fixture.ts';
import type { Memory } from '../desired/memory.ts';
import { type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { COMMIT, FRAUD, START, stateOf } from '../rollout/rollout.fixture.ts';
import { type RolloutState, type Subject, subjectOf } from '../rollout/rollout-state.ts';
import { promotionIntent, rollbackIntent } from './intent.fixture.ts';
import { promotionCases } from './promotion.ts';
import { promotionEdits } from './promotion-edits.ts';
import { rollbackEdits } from './rollback-edits.ts';

const FOLDER = 'risk/fraud';
/** `qa` takes from whichever of its two upstreams has something for it, staging first. */
const UPSTREAMS = { staging: ['dev'], prod: ['staging'], qa: ['staging', 'dev'] } as const;
const RELEASED = ['dev', 'staging', 'prod', 'qa'] as const;
type Environment = (typeof RELEASED)[number];

const LABELS = ['1.0.0', '1.1.0', '1.2.0', '2.0.0', '1.2.1'];
/** 2.0.0 is what 1.0.0 was, under another label. */
const SEEDS: Record<string, string> = { '2.0.0': '1.0.0' };
const seedOf = (label: string): string => SEEDS[label] ?? label;
const filesOf = (label: string): FixtureCommit => versionFiles(FOLDER, label, { seed: seedOf(label) });

const FOUNDATION: FixtureCommit = {
  ...filesOf('1.0.0'),
  ...environmentFile('dev', { promotion: { by: 'newest' } }),
  ...environmentFile('staging', { promotesFrom: 'dev' }),
  ...environmentFile('prod', { promotesFrom: 'staging', promotion: { by: 'pull-request' } }),
  ...environmentFile('qa', { promotesFrom: [...UPSTREAMS.qa] }),
};
const DIGESTS = new Map(
  desired(treeOf([Object.assign({}, FOUNDATION, ...LABELS.map(filesOf))]))
    .models.get(FRAUD)
    ?.versions.map(({ label, digest }) => [label as string, digest as string]),
);

const UNTIL = {
  forGood: {},
  ended: { until: '2020-01-01T00:00:00Z' },
  running: { until: '2099-01-01T00:00:00Z' },
};
const SETTINGS = { settings: `sha256:${'5'.repeat(64)}` };

type Happening =
  | { kind: 'register'; label: string }
  | { kind: 'release'; environment: Environment; label: string }
  | { kind: 'remove' | 'garble' | 'lift' | 'roll-back'; environment: Environment }
  | { kind: 'hold'; environment: Environment; label: string; how: Record<string, unknown> }
  | { kind: 'automation' };

const environment = fc.constantFrom(...RELEASED);
const label = fc.constantFrom(...LABELS);
const how = fc.constantFrom(UNTIL.forGood, UNTIL.forGood, UNTIL.ended, UNTIL.running, SETTINGS);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: label.map(text => ({ kind: 'register' as const, label: text })) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('release' as const), environment, label }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const), environment, label, how }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove', 'garble', 'lift', 'roll-back', 'roll-back'),
      environment,
    }),
  },
  { weight: 5, arbitrary: fc.constant({ kind: 'automation' as const }) },
);

const standing = fc.constantFrom(
  'baked',
  'baked',
  'baked',
  'under-way',
  'halted',
  'not-baked',
  'other',
  'unknown',
);
type Standing = Record<Environment, string>;
const standings: fc.Arbitrary<Standing> = fc.record({
  dev: standing,
  staging: standing,
  prod: standing,
  qa: standing,
});

/** A history as it grows, with whatever automation did in between. */
class History {
  readonly commits: FixtureCommit[] = [FOUNDATION];
  readonly #memory: Memory = new Map();

  look(): { state: DesiredState; tree: ReturnType<typeof treeOf> } {
    const tree = treeOf(this.commits);
    return { tree, state: desired(tree, this.#memory) };
  }

  happen(event: Happening, standing: Standing): void {
    const before = replay(this.commits);
    if (event.kind === 'register' && !before.has(versionPath(event.label)))
      this.commits.push(filesOf(event.label));
    if (event.kind === 'release') this.commits.push(releaseFile(event.environment, FOLDER, event.label));
    if (event.kind === 'remove') this.commits.push({ [releasePath(event.environment)]: null });
    if (event.kind === 'garble') this.commits.push({ [releasePath(event.environment)]: 'version: [' });
    if (event.kind === 'hold')
      this.commits.push(
        holdFile(event.environment, FOLDER, event.label, DIGESTS.get(event.label) ?? '', event.how),
      );
    if (event.kind === 'lift') this.#lift(event.environment, before);
    if (event.kind === 'roll-back') this.#rollBack(event.environment);
    if (event.kind === 'automation') this.#promote(standing);
  }

  #lift(name: Environment, before: Map<string, string>): void {
    const [held] = [...before.keys()].filter(path =>
      path.startsWith(`environments/${name}/${FOLDER}/holds/`),
    );
    if (held) this.commits.push({ [held]: null });
  }

  #rollBack(name: Environment): void {
    const { state, tree } = this.look();
    const from = deploymentIn(state, name)?.wanted;
    const other = state.models.get(FRAUD)?.versions.find(({ digest }) => digest !== from?.digest);
    if (!from || !other) return;
    const intent = rollbackIntent(from, revision(other, from.settings), {
      environment: name as EnvironmentName,
    });
    const found = rollbackEdits(intent, state, tree.history);
    if ('edits' in found) this.commits.push(Object.fromEntries(found.edits));
  }

  #promote(standing: Standing): void {
    const { state, tree } = this.look();
    const [found] = promotionCases({
      desired: state,
      history: tree.history,
      states: statesOf(state, standing),
      now: START,
    });
    if (!found) return;
    const intent = promotionIntent(
      { version: found.version.label, digest: found.version.digest },
      { environment: found.environment.name },
    );
    const edits = promotionEdits(intent, state, tree.history);
    if (edits) this.commits.push(Object.fromEntries(edits));
  }
}

function deploymentIn(state: DesiredState, name: string) {
  return state.environments.get(name as EnvironmentName)?.deployments.get(FRAUD as ModelName);
}

/** Rollouts as the standings say, of what git asks for. */
function statesOf(state: DesiredState, standing: Standing): Map<Subject, RolloutState> {
  const states = new Map<Subject, RolloutState>();
  for (const name of RELEASED) {
    const wanted = deploymentIn(state, name)?.wanted;
    if (!wanted || standing[name] === 'unknown') continue;
    states.set(subjectOf(name as EnvironmentName, FRAUD), rolloutOf(wanted, standing[name]));
  }
  return states;
}

function rolloutOf(wanted: RevisionSpec, word: string): RolloutState {
  const baked = [{ id: wanted.id, digest: wanted.digest, version: wanted.version, at: START }];
  const candidate = { phase: 'baking' as const, step: 0, stepSince: START, stepRequests: 0, since: START };
  const other = { ...wanted, id: `${'0'.repeat(12)}-${'0'.repeat(8)}` as RevisionSpec['id'] };
  if (word === 'under-way')
    return stateOf({
      stable: wanted,
      baked,
      candidate: { ...candidate, revision: other, commit: COMMIT, trail: [] },
    });
  if (word === 'halted')
    return stateOf({ stable: wanted, baked, halted: { reason: 'errors', since: START } });
  if (word === 'not-baked') return stateOf({ stable: wanted });
  return stateOf({ stable: word === 'other' ? other : wanted, baked });
}

/*
 * The oracle: the rule of the design, word by word, from the raw texts of the commits alone. It shares no line with
 * the product, nor the product's parsing, and is slow.
 */

const releasePath = (name: string): string => `environments/${name}/${FOLDER}/release.yaml`;
const versionPath = (text: string): string => `models/${FOLDER}/versions/${text}/version.yaml`;
const versionSaid = (text: string | null | undefined): string | null =>
  /^version: "(.*)"$/m.exec(text ?? '')?.[1] ?? null;

function replay(commits: readonly FixtureCommit[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const commit of commits)
    for (const [path, text] of Object.entries(commit)) {
      if (text === null) texts.delete(path);
      else texts.set(path, text);
    }
  return texts;
}

function isHeldIn(name: string, digest: string, tree: Map<string, string>): boolean {
  return [...tree].some(
    ([path, text]) =>
      path.startsWith(`environments/${name}/${FOLDER}/holds/`) &&
      text.includes(digest) &&
      !text.includes('settings:') &&
      !text.includes('until: 2020'),
  );
}

/** What an environment asks for: its release, or in dev without one the newest version that no hold names. */
function currentIn(name: string, commits: readonly FixtureCommit[]): string | null {
  const tree = replay(commits);
  const release = tree.get(releasePath(name));
  const registered = commits.flatMap(commit => LABELS.filter(text => versionPath(text) in commit));
  if (release !== undefined || name !== 'dev') {
    const said = versionSaid(release);
    return said !== null && registered.includes(said) ? said : null;
  }
  const free = registered.filter(text => !isHeldInDev(text, tree));
  return free.at(-1) ?? null;
}

/** The newest is chosen without a clock: a hold with an end counts until somebody removes it. */
function isHeldInDev(text: string, tree: Map<string, string>): boolean {
  const holds = [...tree].filter(([path]) => path.startsWith(`environments/dev/${FOLDER}/holds/`));
  return holds.some(([, hold]) => hold.includes(DIGESTS.get(text) ?? '') && !hold.includes('settings:'));
}

function promotedByRule(commits: readonly FixtureCommit[], standing: Standing): string[] {
  const tree = replay(commits);
  return Object.entries(UPSTREAMS).flatMap(([name, upstreams]) => {
    const isUnreadable = tree.has(releasePath(name)) && currentIn(name, commits) === null;
    if (isUnreadable || (standing[name as Environment] === 'halted' && currentIn(name, commits) !== null))
      return [];
    const everSaid = commits
      .map(commit => versionSaid(commit[releasePath(name)]))
      .filter(said => said !== null);
    // A label that nobody registered is no version, so that it was named says nothing of another label.
    const isSame = (said: string, version: string): boolean =>
      said === version || (tree.has(versionPath(said)) && seedOf(said) === seedOf(version));
    const may = (version: string): boolean =>
      !everSaid.some(said => isSame(said, version)) && !isHeldIn(name, DIGESTS.get(version) ?? '', tree);
    const candidates = upstreams.map(upstream =>
      standing[upstream] === 'baked' ? currentIn(upstream, commits) : null,
    );
    const chosen = candidates.find(version => version !== null && may(version));
    return chosen ? [`${name} ${seedOf(chosen)}`] : [];
  });
}

function promotedByProduct({ state, tree }: ReturnType<History['look']>, standing: Standing): string[] {
  const cases = promotionCases({
    desired: state,
    history: tree.history,
    states: statesOf(state, standing),
    now: START,
  });
  return cases.map(found => `${found.environment.name} ${seedOf(found.version.label)}`);
}

function grown(happenings: readonly [Happening, Standing][]): History {
  const history = new History();
  for (const [event, standing] of happenings) history.happen(event, standing);
  return history;
}

const histories = fc.array(fc.tuple(happening, standings), { maxLength: 25 });

test('automation promotes exactly what the promotion rule allows, after any history', () => {
  fc.assert(
    fc.property(histories, standings, (happenings, standing) => {
      const history = grown(happenings);

      const found = promotedByProduct(history.look(), standing).sort();

      expect(found).toEqual(promotedByRule(history.commits, standing).sort());
    }),
    { numRuns: 250 },
  );
});

test('the histories are not idle: many of them end with something to promote, many with nothing', () => {
  const sample = fc.sample(fc.tuple(histories, standings), { numRuns: 150, seed: 7 });

  const counts = sample.map(
    ([happenings, standing]) => promotedByRule(grown(happenings).commits, standing).length,
  );

  expect(counts.filter(count => count > 0).length).toBeGreaterThan(30);
  expect(counts.filter(count => count === 0).length).toBeGreaterThan(30);
});

test('automation alone comes to rest, and never brings a version twice', () => {
  const BAKED: Standing = { dev: 'baked', staging: 'baked', prod: 'baked', qa: 'baked' };

  fc.assert(
    fc.property(histories, happenings => {
      const history = grown(happenings);
      const before = history.commits.length;

      for (let turn = 0; turn < 12; turn++) history.happen({ kind: 'automation' }, BAKED);

      const written = history.commits
        .slice(before)
        .flatMap(commit => Object.entries(commit).map(entry => entry.join(' ')));
      expect(new Set(written).size).toBe(written.length);
      expect(promotedByProduct(history.look(), BAKED)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
