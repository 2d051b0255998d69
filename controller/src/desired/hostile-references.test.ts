import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, meet, RELEASE, VERSION, WELL } from './hostile.fixture.ts';
import { environmentFile, manifestText, releaseFile } from './manifest.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const release = (lines: string): string => `${HEAD}kind: Release\n${lines}\n`;
const serving = (lines: string): string => `${HEAD}kind: Serving\n${lines}\n`;

describe('what a manifest refers to', () => {
  test.each<[string, string, string, RegExp, string]>([
    [
      'a version',
      RELEASE,
      release('version: "1.2.9"'),
      /names "1.2.9", which is no version of fraud/,
      'Did you mean "1.2.0"?',
    ],
    [
      'a model',
      'environments/prod/risk/fruad/release.yaml',
      release('version: "1.2.0"'),
      /there is no model "fruad"/,
      'Did you mean "fraud"?',
    ],
    [
      'a model to settings',
      'environments/prod/fruad/serving.yaml',
      serving(''),
      /there is no model "fruad"/,
      'Did you mean "fraud"?',
    ],
    [
      'an environment',
      ENVIRONMENT,
      WELL[ENVIRONMENT]!.replace('staging', 'stagin'),
      /names "stagin"/,
      'Did you mean "staging"?',
    ],
    [
      'a fact to a gate',
      ENVIRONMENT,
      `${WELL[ENVIRONMENT]}gates: { require: [golden, lineag.datasets] }\n`,
      /no version can carry "lineag.datasets"/,
      'Did you mean "lineage.datasets"?',
    ],
    [
      'a model to a freeze',
      'environments/prod/freezes/audit.yaml',
      manifestText('Freeze', { reason: 'audit', model: 'fruad' }),
      /there is no model "fruad", so the freeze is taken to be of every model/,
      'Did you mean "fraud"?',
    ],
    [
      'a digest to a hold',
      'environments/prod/risk/fraud/holds/1.3.0.yaml',
      manifestText('Hold', { digest: `sha256:${'0'.repeat(64)}`, reason: 'bad' }),
      /no version of fraud has this digest, so nothing is held/,
      '1.3.0 has sha256:',
    ],
    [
      'a file beside a version',
      VERSION,
      WELL[VERSION]!.replaceAll('golden.json', 'golden.json').replace(
        'signature:',
        '  more.json: { sha256: '.concat('"', 'a'.repeat(64), '", size: 1 }\nsignature:'),
      ),
      /more.json is named but not in the repository/,
      'Commit it',
    ],
  ])('%s, and is not there, is told with what was meant', async (_, path, text, says, remedy) => {
    const { problems, served } = await meet({ [path]: text });

    const problem = problems.find(found => found.path === path);
    expect(problem?.message).toMatch(says);
    expect(problem?.remedy).toContain(remedy);
    expect(served.after).toEqual(served.before);
  });

  test('environments in a circle are named in its order, and what they serve is kept', async () => {
    const { problems, served } = await meet({
      ...environmentFile('dev', { promotesFrom: 'prod' }),
    });

    expect(problems).toMatchObject([
      {
        code: 'E_CYCLE',
        field: 'promotesFrom',
        message: expect.stringContaining('dev ← prod ← staging ← dev'),
      },
    ]);
    expect(served.after).toEqual(served.before);
  });

  test('one release by two files is followed by neither', async () => {
    const { problems, served } = await meet(releaseFile('prod', 'fraud', '1.3.0'));

    expect(problems).toMatchObject([
      { code: 'E_DUPLICATE_NAME', message: expect.stringContaining('environments/prod/fraud/release.yaml') },
    ]);
    expect(problems[0]?.message).toContain(RELEASE);
    expect(served.after).toEqual(served.before);
  });
});

describe('what is not there any more', () => {
  test('undeploys if it was the release, and only then', async () => {
    const gone = await meet({ [RELEASE]: null });

    expect(gone.problems).toEqual([]);
    expect(Object.keys(gone.served.before)).toContain('prod/fraud');
    expect(Object.keys(gone.served.after)).not.toContain('prod/fraud');
  });

  test.each(['', 'kind: [', 'version: "1.3.0"\n', '\u0000', release('version: 7')])(
    'is not told by a release that can not be read: %j',
    async text => {
      const { served } = await meet({ [RELEASE]: text });

      expect(served.after).toEqual(served.before);
    },
  );

  test('is not told by a newest version that can not be read: the one before does not come back', async () => {
    for (const text of ['', 'kind: [', WELL[VERSION]!.replace('size: 1000', 'size: 1001')]) {
      const { served } = await meet({ [VERSION]: text });

      expect(served.before).toMatchObject({ 'dev/fraud': [expect.stringMatching(/^1\.3\.0 100 /)] });
      expect(served.after).toEqual(served.before);
    }
  });

  test('is not told by a model whose only version can not be read', async () => {
    const { served } = await meet({ 'models/triage/versions/2.0.0/version.yaml': 'kind: [' });

    expect(served.before).toMatchObject({ 'dev/triage': [expect.stringMatching(/^2\.0\.0 100 /)] });
    expect(served.after).toEqual(served.before);
  });

  test('is not told by an environment whose manifest is gone or can not be read', async () => {
    for (const text of [null, '', 'kind: [']) {
      const { served } = await meet({ [ENVIRONMENT]: text });

      expect(served.after).toEqual(served.before);
    }
  });
});
