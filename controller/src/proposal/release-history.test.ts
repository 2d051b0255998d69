import type { VersionLabel } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { releaseFile } from '../desired/manifest.fixture.ts';
import { commitAt, type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { pastReleases, settingCommit } from './release-history.ts';

const RELEASE = 'environments/prod/fraud/release.yaml';
const release = (version: string): FixtureCommit => releaseFile('prod', 'fraud', version);
const said = (...texts: (string | null)[]): FixtureCommit[] => texts.map(text => ({ [RELEASE]: text }));
const versions = (commits: FixtureCommit[]): (string | null)[] =>
  pastReleases(RELEASE, treeOf(commits).history).map(({ version }) => version);

describe('past releases', () => {
  test('are read oldest first, with removals in between', () => {
    expect(versions([release('1.0.0'), { [RELEASE]: null }, release('1.1.0')])).toEqual([
      '1.0.0',
      null,
      '1.1.0',
    ]);
  });

  test('are nothing where there never was one', () => {
    expect(versions([{ 'README.md': 'x' }])).toEqual([]);
  });

  test.each([
    ['broken', 'version: ['],
    ['empty', ''],
    ['a list', '- version: "1.0.0"\n'],
    ['two documents', 'version: "1.0.0"\n---\nversion: "1.1.0"\n'],
    ['an unquoted number', 'version: 1.10\n'],
    ['an alias', 'a: &a "1.0.0"\nversion: *a\n'],
    ['nested beyond reason', '['.repeat(20_000)],
  ])('that were %s named nothing', (_, text) => {
    expect(versions(said(text))).toEqual([null]);
  });

  test('are read for their version even where something else in them was wrong', () => {
    expect(versions(said('version: "1.0.0"\ndigset: x\n'))).toEqual(['1.0.0']);
  });
});

describe('the commit that set a version', () => {
  const commitOf = (commits: FixtureCommit[], version: string) => {
    const found = settingCommit(RELEASE, version as VersionLabel, treeOf(commits).history);
    return found && [...treeOf(commits).history.commits.keys()].indexOf(found.commit);
  };

  test.each<[string, FixtureCommit[], number | null]>([
    ['is the one that named it', [release('1.0.0'), release('1.1.0')], 1],
    ['is the newest of several', [release('1.1.0'), release('1.0.0'), release('1.1.0')], 2],
    ['is not one that only edited around it', [release('1.1.0'), ...said('# x\nversion: "1.1.0"\n')], 0],
    [
      'is the one that brought it back after a removal',
      [release('1.1.0'), { [RELEASE]: null }, release('1.1.0')],
      2,
    ],
    ['is none where it was never named', [release('1.0.0')], null],
  ])('%s', (_, commits, expected) => {
    expect(commitOf(commits, '1.1.0')).toBe(expected);
  });

  test('is named by its id', () => {
    const tree = treeOf([release('1.0.0'), release('1.1.0')]);

    expect(settingCommit(RELEASE, '1.1.0' as VersionLabel, tree.history)?.commit).toBe(commitAt(tree, 1));
  });
});
