import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import { type FixtureCommit, treeOf } from './tree.fixture.ts';

const SERVING = 'models/fraud/serving.yaml';
const outputs = { score: { datatype: 'BYTES', shape: [-1, 1] } };
const valid = (fields: object): FixtureCommit => ({
  [SERVING]: manifestText('Serving', { objectives: { valid: { target: '99%', ...fields } } }),
});

function problemsIn(...commits: FixtureCommit[]) {
  const signature = { inputs: { x: { datatype: 'FP32', shape: [-1, 1] } }, outputs };
  const well = {
    ...versionFiles('fraud', '1.0.0', { signature }),
    ...environmentFile('dev', { promotion: { by: 'newest' } }),
    ...environmentFile('staging', { promotesFrom: 'dev' }),
    ...environmentFile('prod', { promotesFrom: 'staging' }),
    ...releaseFile('staging', 'fraud', '1.0.0'),
    ...releaseFile('prod', 'fraud', '1.0.0'),
  };
  return desired(treeOf([{ ...well, ...commits[0] }])).problems;
}

describe('a mistake in a file of a model', () => {
  test('is told once, with the environments that it shows in', () => {
    expect(problemsIn(valid({ output: 'scroe' }))).toMatchObject([
      {
        code: 'E_REFERENCE',
        path: SERVING,
        message: expect.stringMatching(
          /"scroe" is no output of the version.*\(fraud\), in dev, prod, staging$/,
        ),
      },
    ]);
  });

  test('is not told of texts where the output is not there at all', () => {
    const codes = problemsIn(valid({ output: 'scroe', within: [0, 1] })).map(({ code }) => code);

    expect(codes).toEqual(['E_REFERENCE']);
  });

  test('is told of texts where the output is one', () => {
    expect(problemsIn(valid({ output: 'score', within: [0, 1] }))).toMatchObject([
      { code: 'W_SETTINGS', message: expect.stringContaining('are texts') },
    ]);
  });

  test('that stands in one environment is told of that one', () => {
    const own = 'environments/prod/fraud/serving.yaml';
    const said = manifestText('Serving', { objectives: { valid: { target: '99%', output: 'scroe' } } });

    expect(problemsIn({ [own]: said })).toMatchObject([
      { path: own, message: expect.stringMatching(/\(fraud\)$/) },
    ]);
  });
});
