import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, meet, meetLink, RELEASE } from './hostile.fixture.ts';
import { versionFiles } from './manifest.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const release = (lines: string): string => `${HEAD}kind: Release\n${lines}\n`;
const model = (lines: string): string => `${HEAD}kind: Model\n${lines}\n`;

describe('a name', () => {
  const BAD = {
    'that climbs out': '..',
    'that climbs out in disguise': '%2e%2e',
    'with a backslash': 'a\\b',
    'with a NUL': 'a\u0000b',
    'with a dash in front': '-rf',
    'with a dot at its end': 'fraud.',
    'with a blank at its end': 'fraud ',
    'of a device': 'con',
    'of another device, with a number': 'lpt1',
    'of three hundred letters': 'x'.repeat(300),
    'with a letter that looks like another': 'frаud',
    'that turns the direction of text': 'fraud\u202e',
    'in capitals': 'Fraud',
    'with a combining mark': 'cafe\u0301',
    'with a letter that has two forms': 'caf\u00e9',
    'that every object has': 'constructor',
    'of a folder of this layout': 'holds',
  };

  test.each(Object.entries(BAD))('%s is refused wherever it stands', async (_, name) => {
    const { problems, served } = await meet({
      [`models/${name}/model.yaml`]: model('task: x'),
      [`models/risk/fraud/versions/${name === 'Fraud' ? 'Fr aud' : name}/version.yaml`]: model('task: x'),
      [`environments/${name}/environment.yaml`]: model('task: x'),
      [`environments/prod/${name}/release.yaml`]: release('version: "1.3.0"'),
    });

    const refused = problems.filter(({ code }) => code === 'E_PATH_NAME');
    // Labels of versions may hold capitals.
    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(refused[0]?.remedy).toContain('Names are DNS labels');
    expect(served.after).toEqual(served.before);
  });

  test('of two versions that differ in case alone is told with both, and the first keeps it', async () => {
    const { problems, state, served } = await meet({
      ...versionFiles('risk/fraud', '1.4.0-RC'),
      ...versionFiles('risk/fraud', '1.4.0-rc'),
    });

    const [twin] = problems;
    expect(twin).toMatchObject({
      code: 'E_DUPLICATE_NAME',
      path: 'models/risk/fraud/versions/1.4.0-rc/version.yaml',
      message: expect.stringContaining('models/risk/fraud/versions/1.4.0-RC/version.yaml'),
    });
    expect([...state.models.values()][0]?.versions.map(({ label }) => label)).toContain('1.4.0-RC');
    expect(served.after).toEqual(served.before);
  });

  test('of a model that a second team claims goes to neither, so that nobody takes it over', async () => {
    const stolen = {
      ...versionFiles('aaa/fraud', '1.2.0', { seed: 'evil' }),
      ...versionFiles('aaa/fraud', '9.9.9'),
    };

    const { problems, served } = await meet(stolen);

    expect(problems).toMatchObject([
      {
        code: 'E_DUPLICATE_NAME',
        message: expect.stringMatching(/models\/aaa\/fraud and in models\/risk\/fraud/),
        remedy: expect.stringContaining('Rename'),
      },
    ]);
    expect(served.after).toEqual(served.before);
  });

  test('that differs in case alone is no second environment', async () => {
    const { problems, served } = await meet({
      'environments/Prod/environment.yaml': '',
      'environments/PROD/risk/fraud/release.yaml': '',
    });

    expect(problems.map(({ code }) => code)).toEqual(['E_PATH_NAME', 'E_PATH_NAME']);
    expect(served.after).toEqual(served.before);
  });

  test('that a link gives to a manifest, or to a folder of manifests, is not followed', async () => {
    for (const path of [
      RELEASE,
      ENVIRONMENT,
      'environments/prod',
      'environments/prod/risk',
      'environments/prod/risk/fraud',
      'environments',
      'models',
      'models/risk',
      'models/risk/fraud',
      'models/risk/fraud/versions',
      'models/risk/fraud/versions/1.3.0',
    ])
      for (const mode of ['120000', '160000'] as const) {
        const { problems, served } = await meetLink(path, mode);

        expect(problems.map(({ code, path: told }) => ({ code, told }))).toContainEqual({
          code: 'E_FILE_KIND',
          told: path,
        });
        expect(served.after, path).toEqual(served.before);
      }
  });
});
