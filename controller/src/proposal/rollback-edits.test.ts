import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import { Hold } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { desired } from '../desired/desired.ts';
import type { DesiredDeployment, RevisionSpec } from '../desired/desired-state.ts';
import {
  environmentFile,
  holdFile,
  manifestText,
  releaseFile,
  versionFiles,
} from '../desired/manifest.fixture.ts';
import { commitAt, type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { isHeld } from '../rollout/held.ts';
import { rollbackIntent } from './intent.fixture.ts';
import type { RollbackIntent } from './intent.ts';
import { type RollbackEdits, rollbackEdits } from './rollback-edits.ts';

const RELEASE = 'environments/prod/fraud/release.yaml';
const SERVING = 'environments/prod/fraud/serving.yaml';
const HOLD = 'environments/prod/fraud/holds/1.3.0.yaml';

const FOUNDATION: FixtureCommit = {
  ...versionFiles('fraud', '1.1.0'),
  ...versionFiles('fraud', '1.2.0'),
  ...versionFiles('fraud', '1.3.0'),
  ...environmentFile('prod'),
};
/** 0: versions. 1: 1.2.0. 2: 1.3.0, which is the one that fails. */
const FAILING: FixtureCommit[] = [
  FOUNDATION,
  releaseFile('prod', 'fraud', '1.2.0'),
  releaseFile('prod', 'fraud', '1.3.0'),
];

function deploymentAfter(
  commits: readonly FixtureCommit[],
  environment = 'prod',
): DesiredDeployment | undefined {
  const found = desired(treeOf(commits)).environments.get(environment as EnvironmentName);
  return found?.deployments.get('fraud' as ModelName);
}

function wantedAfter(...commits: FixtureCommit[]): RevisionSpec {
  const wanted = deploymentAfter(commits)?.wanted;
  if (!wanted) throw new TypeError('nothing is wanted there');
  return wanted;
}

const served = (version: string): RevisionSpec =>
  wantedAfter(FOUNDATION, releaseFile('prod', 'fraud', version));
const FROM = served('1.3.0');
const TO = served('1.2.0');

function editsOn(commits: readonly FixtureCommit[], part: Partial<RollbackIntent> = {}): RollbackEdits {
  const tree = treeOf(commits);
  const { from = FROM, to = TO, ...rest } = part;
  const intent = rollbackIntent(from, to, { cause: tree.commit, ...rest });
  return rollbackEdits(intent, desired(tree), tree.history);
}

const pathsOf = (found: RollbackEdits): string[] => ('edits' in found ? [...found.edits.keys()].sort() : []);
const asCommit = (found: RollbackEdits): FixtureCommit =>
  'edits' in found ? Object.fromEntries(found.edits) : {};

describe('a rollback of the version that the head still names', () => {
  test('restores the release as it was, and holds the digest, in one commit', () => {
    const found = editsOn(FAILING);

    expect(found).toMatchObject({ kind: 'restore', reverts: commitAt(treeOf(FAILING), 2), note: null });
    expect(pathsOf(found)).toEqual([HOLD, RELEASE]);
    expect(asCommit(found)[RELEASE]).toBe(FAILING[1]?.[RELEASE]);
  });

  test('followed by another look at git wants last good, with the failing digest held', () => {
    const after = deploymentAfter([...FAILING, asCommit(editsOn(FAILING))]);

    expect(after?.wanted?.id).toBe(TO.id);
    expect(isHeld(FROM, after?.holds ?? [], 0)).toBe(true);
    expect(after?.holds).toMatchObject([
      { by: 'controller', evidence: { candidateBad: 61, candidateTotal: 1204 } },
    ]);
    expect(desired(treeOf([...FAILING, asCommit(editsOn(FAILING))])).problems).toEqual([]);
  });

  test('is written once: looking again finds nothing to do', () => {
    expect(editsOn([...FAILING, asCommit(editsOn(FAILING))])).toEqual({ kind: 'nothing' });
  });

  test('and then reverted by a person is as it was before', () => {
    const rollback = asCommit(editsOn(FAILING));
    const revert = Object.fromEntries(Object.keys(rollback).map(path => [path, treeText(FAILING, path)]));

    const after = treeOf([...FAILING, rollback, revert]);

    expect(after.files).toEqual(treeOf(FAILING).files);
  });

  test('keeps every byte that a person wrote into the release before', () => {
    const text = `# asked for by risk\napiVersion: switchback/v1alpha1\nkind:   Release\nversion: '1.2.0'   # quarter's end\n`;
    const commits = [FOUNDATION, { [RELEASE]: text }, releaseFile('prod', 'fraud', '1.3.0')];

    expect(asCommit(editsOn(commits))[RELEASE]).toBe(text);
  });

  test('does not claim to revert a commit that touched more than the release', () => {
    const found = editsOn([
      FOUNDATION,
      releaseFile('prod', 'fraud', '1.2.0'),
      { ...releaseFile('prod', 'fraud', '1.3.0'), 'README.md': 'what is new\n' },
    ]);

    expect(found).toMatchObject({ kind: 'restore', reverts: null, note: null });
  });

  test('does not claim to revert a commit after which the release was edited again', () => {
    const commented = `${FAILING[2]?.[RELEASE]}# looks fine\n`;

    const found = editsOn([...FAILING, { [RELEASE]: commented }]);

    expect(found).toMatchObject({ kind: 'restore', reverts: null });
    expect(asCommit(found)[RELEASE]).toBe(FAILING[1]?.[RELEASE]);
  });

  test('goes back from the newest commit that brought it, not from the first', () => {
    const commits = [
      ...FAILING,
      releaseFile('prod', 'fraud', '1.1.0'),
      releaseFile('prod', 'fraud', '1.3.0'),
    ];

    const found = editsOn(commits, { to: served('1.1.0') });

    expect(found).toMatchObject({ kind: 'restore', reverts: commitAt(treeOf(commits), 4) });
    expect(asCommit(found)[RELEASE]).toBe(commits[3]?.[RELEASE]);
  });

  test('writes last good, and says so, where that is not what the release said before', () => {
    const found = editsOn([FOUNDATION, releaseFile('prod', 'fraud', '1.1.0'), FAILING[1]!, FAILING[2]!], {
      to: served('1.1.0'),
    });

    expect(found).toMatchObject({
      kind: 'restore',
      reverts: null,
      note: 'The release before was 1.2.0; 1.1.0 is last good.',
    });
    expect(parse(asCommit(found)[RELEASE] ?? '')).toMatchObject({ kind: 'Release', version: '1.1.0' });
  });

  test('writes last good where there was no release before', () => {
    const found = editsOn([FOUNDATION, releaseFile('prod', 'fraud', '1.3.0')]);

    expect(found).toMatchObject({
      kind: 'restore',
      note: 'The release before was none; 1.2.0 is last good.',
    });
    expect(parse(asCommit(found)[RELEASE] ?? '')).toMatchObject({ version: '1.2.0' });
  });

  test('writes last good where the release had been removed before', () => {
    const commits = [FOUNDATION, FAILING[1]!, { [RELEASE]: null }, FAILING[2]!];

    expect(editsOn(commits)).toMatchObject({ note: 'The release before was none; 1.2.0 is last good.' });
  });

  test('restores the release although a person changed the settings meanwhile', () => {
    const tuned = { [SERVING]: manifestText('Serving', { limits: { timeout: '5ms' } }) };

    expect(pathsOf(editsOn([...FAILING, tuned]))).toEqual([HOLD, RELEASE]);
  });

  test('stays in the folder of the team', () => {
    const commits = [
      {
        ...versionFiles('risk/fraud', '1.2.0'),
        ...versionFiles('risk/fraud', '1.3.0'),
        ...environmentFile('prod'),
      },
      releaseFile('prod', 'risk/fraud', '1.2.0'),
      releaseFile('prod', 'risk/fraud', '1.3.0'),
    ];

    const found = editsOn(commits, {
      from: wantedAfter(...commits),
      to: wantedAfter(...commits.slice(0, 2)),
    });

    expect(pathsOf(found)).toEqual([
      'environments/prod/risk/fraud/holds/1.3.0.yaml',
      'environments/prod/risk/fraud/release.yaml',
    ]);
  });
});

describe('a rollback after a person has acted', () => {
  test.each<[string, FixtureCommit]>([
    ['reverted', releaseFile('prod', 'fraud', '1.2.0')],
    ['released something else', releaseFile('prod', 'fraud', '1.1.0')],
    ['removed the release', { [RELEASE]: null }],
    ['left a release that can not be read', { [RELEASE]: 'version: [' }],
  ])('writes only the hold when the person %s', (_, acted) => {
    const found = editsOn([...FAILING, acted]);

    expect(found.kind).toBe('hold');
    expect(pathsOf(found)).toEqual([HOLD]);
  });

  test('writes nothing when the person reverted and wrote the hold', () => {
    const acted = { ...FAILING[1], ...holdFile('prod', 'fraud', 'by-mei', FROM.digest) };

    expect(editsOn([...FAILING, acted])).toEqual({ kind: 'nothing' });
  });

  test('restores the release alone when only the hold is there', () => {
    const found = editsOn([...FAILING, holdFile('prod', 'fraud', 'by-mei', FROM.digest)]);

    expect(found.kind).toBe('restore');
    expect(pathsOf(found)).toEqual([RELEASE]);
  });

  test('holds for good what was held for a time only', () => {
    const until = '2026-01-01T00:00:00Z';
    const found = editsOn([...FAILING, holdFile('prod', 'fraud', '1.3.0', FROM.digest, { until })]);

    expect(pathsOf(found)).toEqual([HOLD, RELEASE]);
    expect(parse(asCommit(found)[HOLD] ?? '')).not.toHaveProperty('until');
  });

  test('holds the version although its settings are held already', () => {
    const settings = holdFile('prod', 'fraud', 'x', FROM.digest, { settings: FROM.settingsDigest });

    expect(pathsOf(editsOn([...FAILING, settings]))).toEqual([HOLD, RELEASE]);
  });

  test('never overwrites a hold of something else', () => {
    const found = editsOn([...FAILING, holdFile('prod', 'fraud', '1.3.0', TO.digest)], {
      to: served('1.1.0'),
    });

    expect(pathsOf(found)).toEqual([HOLD.replace('.yaml', `-${FROM.digest.slice(7, 15)}.yaml`), RELEASE]);
  });
});

test('where the newest is served without a release, the hold alone brings it back', () => {
  const commits = [
    { ...versionFiles('risk/fraud', '1.2.0'), ...environmentFile('dev', { promotion: { by: 'newest' } }) },
    versionFiles('risk/fraud', '1.3.0'),
  ];
  const [to, from] = [
    deploymentAfter(commits.slice(0, 1), 'dev')?.wanted,
    deploymentAfter(commits, 'dev')?.wanted,
  ];
  const dev = 'dev' as EnvironmentName;

  const found = editsOn(commits, { environment: dev, from: from!, to: to! });

  expect(pathsOf(found)).toEqual(['environments/dev/risk/fraud/holds/1.3.0.yaml']);
  expect(deploymentAfter([...commits, asCommit(found)], 'dev')?.wanted?.id).toBe(to?.id);
});

describe('a rollback of settings', () => {
  const serving = (timeout: string): FixtureCommit => ({
    [SERVING]: manifestText('Serving', { limits: { timeout } }),
  });
  /** 2: settings that are good. 3: settings that fail. */
  const TUNED = [FOUNDATION, FAILING[1]!, serving('300ms'), serving('5ms')];
  const from = wantedAfter(...TUNED);
  const to = wantedAfter(...TUNED.slice(0, 3));

  test('reverts the commit that brought them, and holds these settings only', () => {
    const found = editsOn(TUNED, { from, to });

    expect(found).toMatchObject({ kind: 'revert', commit: commitAt(treeOf(TUNED), 3) });
    expect(pathsOf(found)).toEqual([
      `environments/prod/fraud/holds/1.2.0-settings-${from.settingsDigest.slice(7, 15)}.yaml`,
    ]);
    const after = deploymentAfter([...TUNED, { ...asCommit(found), ...serving('300ms') }]);
    expect(after?.wanted?.id).toBe(to.id);
    expect(isHeld(from, after?.holds ?? [], 0)).toBe(true);
    expect(isHeld(to, after?.holds ?? [], 0)).toBe(false);
  });

  test.each<[string, FixtureCommit]>([
    ['the model', { 'models/fraud/serving.yaml': manifestText('Serving', { limits: { timeout: '5ms' } }) }],
    [
      'the defaults of the environment',
      environmentFile('prod', { defaults: { limits: { timeout: '5ms' } } }),
    ],
  ])('finds the commit also where %s brought them', (_, commit) => {
    const commits = [FOUNDATION, FAILING[1]!, commit];

    const found = editsOn(commits, { from: wantedAfter(...commits), to: TO });

    expect(found).toMatchObject({ kind: 'revert', commit: commitAt(treeOf(commits), 2) });
  });

  test('is not misled by a later commit to the environment that brought no settings', () => {
    const later = [...TUNED, environmentFile('prod', { description: 'production' })];
    expect(wantedAfter(...later).id).toBe(from.id);

    const found = editsOn(later, { from, to, cause: commitAt(treeOf(TUNED), 3) });

    expect(found).toMatchObject({ kind: 'revert', commit: commitAt(treeOf(TUNED), 3) });
  });

  test('writes only the hold when a person has changed the settings meanwhile', () => {
    expect(editsOn([...TUNED, serving('400ms')], { from, to }).kind).toBe('hold');
  });

  test('writes nothing when they are left and held', () => {
    const held = holdFile('prod', 'fraud', 'x', from.digest, { settings: from.settingsDigest });

    expect(editsOn([...TUNED, { ...serving('300ms'), ...held }], { from, to })).toEqual({ kind: 'nothing' });
  });

  test('never touches the release', () => {
    expect(pathsOf(editsOn(TUNED, { from, to }))).not.toContain(RELEASE);
  });
});

test('the hold that is written can always be read again, whatever the reason', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ unit: 'binary' }),
      (reason, by) => {
        const commit = asCommit(editsOn(FAILING, { reason, by }));

        const hold = deploymentAfter([...FAILING, commit])?.holds[0];
        expect(hold?.digest).toBe(FROM.digest);
        expect(Hold.safeParse(parse(commit[HOLD] ?? '')).success).toBe(true);
        expect(commit[HOLD]?.isWellFormed()).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

function treeText(commits: readonly FixtureCommit[], path: string): string | null {
  const file = treeOf(commits).files.get(path);
  return file?.kind === 'manifest' ? file.text : null;
}
