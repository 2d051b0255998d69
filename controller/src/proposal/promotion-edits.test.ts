import type { VersionLabel } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { desired } from '../desired/desired.ts';
import { environmentFile, holdFile, releaseFile, versionFiles } from '../desired/manifest.fixture.ts';
import { type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { FRAUD, PROD, specOf } from '../rollout/rollout.fixture.ts';
import { promotionIntent } from './intent.fixture.ts';
import { promotionEdits } from './promotion-edits.ts';

const RELEASE = 'environments/prod/fraud/release.yaml';
const HEAD = 'apiVersion: switchback/v1alpha1\nkind: Release\n';
const FOUNDATION: FixtureCommit = {
  ...versionFiles('fraud', '1.2.0'),
  ...versionFiles('fraud', '1.10.0'),
  ...environmentFile('prod'),
};

function editsOn(commits: readonly FixtureCommit[], version = '1.10.0') {
  const tree = treeOf(commits);
  const intent = promotionIntent(specOf(version), { version: version as VersionLabel });
  return promotionEdits(intent, desired(tree), tree.history);
}

/** What the release says after the promotion, and what git wants then. */
function promoted(text: string): { text: string | null | undefined; wanted: string | undefined } {
  const commits = [FOUNDATION, { [RELEASE]: text }];
  const edits = editsOn(commits);
  const after = desired(treeOf([...commits, Object.fromEntries(edits ?? [])]));
  const wanted = after.environments.get(PROD)?.deployments.get(FRAUD)?.wanted?.version;
  return { text: edits?.get(RELEASE), wanted };
}

describe('a promotion', () => {
  test.each<[string, before: string, after: string]>([
    ['changes the version alone', `${HEAD}version: "1.2.0"\n`, `${HEAD}version: "1.10.0"\n`],
    [
      'keeps comments, order, space and empty lines',
      `# the pin\nversion:   '1.2.0'  # asked for by risk\n\n\nkind:  Release # a release\napiVersion: switchback/v1alpha1\n# end\n`,
      `# the pin\nversion:   "1.10.0"  # asked for by risk\n\n\nkind:  Release # a release\napiVersion: switchback/v1alpha1\n# end\n`,
    ],
    ['quotes what was not quoted', `${HEAD}version: 1.2.0\n`, `${HEAD}version: "1.10.0"\n`],
    [
      'keeps line ends of another system',
      `${HEAD}version: "1.2.0" # why\n`.replaceAll('\n', '\r\n'),
      `${HEAD}version: "1.10.0" # why\n`.replaceAll('\n', '\r\n'),
    ],
    ['needs no line end', `${HEAD}version: "1.2.0"`, `${HEAD}version: "1.10.0"`],
    [
      'keeps a release in braces in braces',
      '{ apiVersion: switchback/v1alpha1, kind: Release, version: "1.2.0" } # short\n',
      '{ apiVersion: switchback/v1alpha1, kind: Release, version: "1.10.0" } # short\n',
    ],
    ['keeps a byte order mark', `\ufeff${HEAD}version: "1.2.0"\n`, `\ufeff${HEAD}version: "1.10.0"\n`],
  ])('%s', (_, before, after) => {
    expect(promoted(before)).toEqual({ text: after, wanted: '1.10.0' });
  });

  const digest = desired(treeOf([FOUNDATION]))
    .models.get(FRAUD)
    ?.versions.find(({ label }) => label === '1.2.0')?.digest;
  test.each([
    [
      'in the middle',
      `${HEAD}digest: "${digest}" # pinned\nversion: "1.2.0"\n# end\n`,
      `${HEAD}version: "1.10.0"\n# end\n`,
    ],
    ['at the end', `${HEAD}version: "1.2.0"\ndigest: "${digest}"`, `${HEAD}version: "1.10.0"\n`],
  ])('drops the digest of the version before, %s', (_, before, after) => {
    expect(promoted(before)).toEqual({ text: after, wanted: '1.10.0' });
  });

  test('drops the digest in braces as well', () => {
    const before = `{ apiVersion: switchback/v1alpha1, kind: Release, version: "1.2.0", digest: "${digest}" }\n`;

    const after = promoted(before);

    expect(after.wanted).toBe('1.10.0');
    expect(after.text).not.toContain('digest');
  });

  test('writes a release where there is none', () => {
    expect([...(editsOn([FOUNDATION]) ?? [])]).toEqual([[RELEASE, `${HEAD}version: "1.10.0"\n`]]);
  });

  test('writes a release where it had been removed', () => {
    const edits = editsOn([FOUNDATION, releaseFile('prod', 'fraud', '1.2.0'), { [RELEASE]: null }]);

    expect([...(edits ?? [])]).toEqual([[RELEASE, `${HEAD}version: "1.10.0"\n`]]);
  });

  test('writes the first release beside the holds, in the folder of the team', () => {
    const edits = editsOn([
      { ...versionFiles('risk/fraud', '1.10.0'), ...environmentFile('prod') },
      holdFile('prod', 'risk/fraud', 'x', `sha256:${'0'.repeat(64)}`),
    ]);

    expect([...(edits?.keys() ?? [])]).toEqual(['environments/prod/risk/fraud/release.yaml']);
  });

  test('touches nothing but the release', () => {
    expect(editsOn([FOUNDATION, releaseFile('prod', 'fraud', '1.2.0')])?.size).toBe(1);
  });

  test('has nothing to do where git says so already, or the environment is gone', () => {
    expect(editsOn([FOUNDATION, releaseFile('prod', 'fraud', '1.10.0')])).toBeNull();
    expect(editsOn([versionFiles('fraud', '1.10.0')])).toBeNull();
  });
});
