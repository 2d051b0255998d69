import { expect, test } from 'vitest';
import { desired } from './desired.ts';
import { environmentFile } from './manifest.fixture.ts';
import { type FixtureCommit, treeOf } from './tree.fixture.ts';

const problemsOf = (environments: FixtureCommit) => desired(treeOf([environments])).problems;
const staging = environmentFile('staging', { promotion: { by: 'newest' } });

test.each(['push', 'pull-request'])(
  'a second environment that forgot promotesFrom is told that %s never does anything there',
  by => {
    expect(problemsOf({ ...staging, ...environmentFile('prod', { promotion: { by } }) })).toMatchObject([
      {
        code: 'W_SETTINGS',
        severity: 'warning',
        path: 'environments/prod/environment.yaml',
        line: 7,
        field: 'promotion.by',
        message: expect.stringContaining('nothing is ever promoted into prod'),
        remedy: expect.stringContaining('Add promotesFrom, the environment before it (there are: staging)'),
      },
    ]);
  },
);

test.each<[string, FixtureCommit]>([
  ['is the only one', environmentFile('prod')],
  [
    'is the first of a line',
    { ...environmentFile('staging'), ...environmentFile('prod', { promotesFrom: 'staging' }) },
  ],
  ['leaves it to people', { ...staging, ...environmentFile('prod', { promotion: { by: 'person' } }) }],
  ['has one', { ...staging, ...environmentFile('prod', { promotesFrom: 'staging' }) }],
])('an environment without need of promotesFrom, since it %s, is told nothing', (_, environments) => {
  expect(problemsOf(environments)).toEqual([]);
});
