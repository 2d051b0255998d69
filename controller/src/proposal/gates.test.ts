import { describe, expect, test } from 'vitest';
import { desired } from '../desired/desired.ts';
import {
  environmentFile,
  manifestText,
  releaseFile,
  SIGNATURE,
  versionFiles,
} from '../desired/manifest.fixture.ts';
import { type FixtureCommit, treeOf } from '../desired/tree.fixture.ts';
import { FRAUD, MINUTE, type PROD, START, stateOf } from '../rollout/rollout.fixture.ts';
import type { RolloutState, Subject } from '../rollout/rollout-state.ts';
import { promotions } from './promotion.ts';

const AUC = (value: number, more: object = {}) => ({ evaluation: [{ metric: 'auc', value, ...more }] });

interface Case {
  gates?: object;
  /** Fields of `version.yaml` of what prod runs, and of what would replace it. */
  present?: Record<string, unknown>;
  next?: Record<string, unknown>;
  files?: FixtureCommit;
  sinceMinutes?: number;
  requests?: number;
  isFirst?: boolean;
}

function outcome({
  gates = {},
  present = {},
  next = {},
  files = {},
  sinceMinutes = 0,
  requests = 0,
  isFirst,
}: Case) {
  const tree = treeOf([
    {
      ...versionFiles('fraud', '1.2.0', present),
      ...environmentFile('staging'),
      ...environmentFile('prod', { promotesFrom: 'staging', gates }),
      ...(isFirst ? {} : releaseFile('prod', 'fraud', '1.2.0')),
    },
    { ...versionFiles('fraud', '1.3.0', next), ...releaseFile('staging', 'fraud', '1.3.0') },
    files,
  ]);
  const state = desired(tree);
  expect(state.problems).toEqual([]);
  const wanted = state.environments.get('staging' as typeof PROD)?.deployments.get(FRAUD)?.wanted;
  if (!wanted) throw new TypeError('staging wants nothing');
  const baked = [{ id: wanted.id, digest: wanted.digest, version: wanted.version, at: START }];
  const rollout: RolloutState = stateOf({ stable: wanted, baked, since: START - sinceMinutes * MINUTE });
  const found = promotions({
    desired: state,
    history: tree.history,
    states: new Map<Subject, RolloutState>([['staging/fraud', rollout]]),
    requests: new Map([['staging/fraud', requests]]),
    now: START,
  });
  return { ready: found.ready, waits: found.waits.get('prod/fraud') ?? [] };
}

const whats = (input: Case): string[] => outcome(input).waits.map(({ what }) => what);

test('a promotion that no gate holds up is ready, with what it replaces and where it comes from', () => {
  const { ready, waits } = outcome({});

  expect(waits).toEqual([]);
  expect(ready).toMatchObject([
    {
      kind: 'promotion',
      environment: 'prod',
      model: 'fraud',
      version: '1.3.0',
      replaces: '1.2.0',
      from: 'staging',
    },
  ]);
});

test('a first release replaces nothing', () => {
  expect(outcome({ isFirst: true }).ready).toMatchObject([{ version: '1.3.0', replaces: null }]);
});

describe('soak', () => {
  const gates = { soak: { for: '60m', requests: 500 } };

  test.each<[string, Case, string[]]>([
    [
      'needs both at first',
      { sinceMinutes: 0, requests: 0 },
      ['1.3.0 soaks in staging', '1.3.0 has answered 0 of 500 requests in staging'],
    ],
    [
      'still needs the time when the requests are there',
      { sinceMinutes: 59, requests: 500 },
      ['1.3.0 soaks in staging'],
    ],
    [
      'still needs the requests when the time is there',
      { sinceMinutes: 60, requests: 499 },
      ['1.3.0 has answered 499 of 500 requests in staging'],
    ],
    ['is over when both are there', { sinceMinutes: 60, requests: 500 }, []],
  ])('%s', (_, input, expected) => {
    expect(whats({ gates, ...input })).toEqual(expected);
  });

  test('answers what, since when, until when, who and with which command', () => {
    expect(outcome({ gates, sinceMinutes: 20, requests: 500 }).waits).toEqual([
      {
        what: '1.3.0 soaks in staging',
        since: START - 20 * MINUTE,
        until: START + 40 * MINUTE,
        who: 'time',
        command: 'switchback promote fraud@1.3.0 prod',
      },
    ]);
  });

  test.each([
    [{ soak: { for: '1h' } }, { sinceMinutes: 60 }],
    [{ soak: { requests: 5 } }, { requests: 5 }],
  ])('needs no more than was asked for: %j', (only, input) => {
    expect(whats({ gates: only, ...input })).toEqual([]);
  });
});

describe('evaluation', () => {
  const gates = { evaluation: { auc: { worseBy: 0.005 } } };

  test.each<[string, Case, boolean]>([
    ['better', { present: AUC(0.9), next: AUC(0.91) }, true],
    ['equal', { present: AUC(0.9), next: AUC(0.9) }, true],
    [
      'worse by just as much as allowed, however floats add up',
      { present: AUC(0.905), next: AUC(0.9) },
      true,
    ],
    ['worse by more', { present: AUC(0.905), next: AUC(0.8999) }, false],
    ['not measured', { present: AUC(0.9) }, false],
    ['measured for a slice only', { present: AUC(0.9), next: AUC(0.9, { slice: 'country=BR' }) }, false],
    ['measured where the present one was not', { next: AUC(0.1) }, true],
    [
      'lower where lower is better',
      { present: AUC(0.9, { better: 'lower' }), next: AUC(0.1, { better: 'lower' }) },
      true,
    ],
    [
      'higher where lower is better',
      { present: AUC(0.1, { better: 'lower' }), next: AUC(0.9, { better: 'lower' }) },
      false,
    ],
    ['the first', { next: AUC(0.1), isFirst: true }, true],
  ])('lets pass what is %s: %o', (_, input, passes) => {
    expect(whats({ gates, ...input }).length).toBe(passes ? 0 : 1);
  });

  test('says by how much, and that a person may promote it anyway', () => {
    const [wait] = outcome({ gates, present: AUC(0.905), next: AUC(0.89) }).waits;

    expect(wait?.what).toBe('auc of 1.3.0 is 0.89, more than 0.005 worse than 0.905 of 1.2.0');
    expect(wait?.who).toContain('a person who promotes it anyway');
    expect(wait?.command).toContain('switchback promote fraud@1.3.0 prod --reason');
  });
});

describe('a freeze', () => {
  const freeze = (fields: object): Case => ({
    files: {
      'environments/prod/freezes/x.yaml': manifestText('Freeze', { reason: 'quarter end', ...fields }),
    },
  });
  const at = (instant: number): string => new Date(instant).toISOString();

  test.each<[string, Case, boolean]>([
    ['holds everything up', freeze({}), false],
    ['holds its model up', freeze({ model: 'fraud' }), false],
    [
      'leaves other models alone',
      { files: { ...freeze({ model: 'abuse' }).files, ...versionFiles('abuse', '1.0.0') } },
      true,
    ],
    ['holds up until its end', freeze({ until: at(START + 1) }), false],
    ['is over at its end', freeze({ until: at(START) }), true],
    [
      'of another environment is nothing to this one',
      {
        files: { 'environments/staging/freezes/x.yaml': manifestText('Freeze', { reason: 'x' }) },
      },
      true,
    ],
  ])('%s', (_, input, passes) => {
    expect(outcome(input).ready.length).toBe(passes ? 1 : 0);
  });

  test('says why, until when, and who can lift it', () => {
    const [wait] = outcome(freeze({ by: 'mei', until: at(START + MINUTE) })).waits;

    expect(wait).toMatchObject({ what: 'prod is frozen: quarter end', until: START + MINUTE, who: 'mei' });
    expect(wait?.command).toBe('git rm environments/prod/freezes/x.yaml && git commit');
  });
});

describe('a required fact', () => {
  const other = (part: object): Record<string, unknown> => ({ signature: { ...SIGNATURE, ...part } });
  const more = { ...SIGNATURE.outputs, reasons: { datatype: 'FP32', shape: [-1, 3] } };
  const reordered = {
    outputs: SIGNATURE.outputs,
    inputs: { features: { shape: [-1, 30], datatype: 'FP32' } },
  };

  test.each<[string, string, Case, boolean]>([
    ['golden answers, which every readable version has', 'golden', {}, true],
    [
      'a fact that is there',
      'lineage.datasets',
      { next: { lineage: { datasets: [{ name: 'cards' }] } } },
      true,
    ],
    ['a fact that is not there', 'lineage.datasets', {}, false],
    [
      'a fact of which only the parent is there',
      'lineage.source',
      { next: { lineage: { datasets: [] } } },
      false,
    ],
    ['an equal signature', 'compatible-signature', {}, true],
    ['an equal signature in another order', 'compatible-signature', { next: { signature: reordered } }, true],
    ['one more output', 'compatible-signature', { next: other({ outputs: more }) }, true],
    ['one output less', 'compatible-signature', { present: other({ outputs: more }) }, false],
    [
      'another shape',
      'compatible-signature',
      { next: other({ inputs: { features: { datatype: 'FP32', shape: [-1, 31] } } }) },
      false,
    ],
    [
      'one more input',
      'compatible-signature',
      { next: other({ inputs: { ...SIGNATURE.inputs, age: { datatype: 'FP32', shape: [-1] } } }) },
      false,
    ],
    [
      'another signature on a first release',
      'compatible-signature',
      { next: other({ outputs: more }), isFirst: true },
      true,
    ],
  ])('%s (%s)', (_, fact, input, passes) => {
    expect(outcome({ gates: { require: [fact] }, ...input }).ready.length).toBe(passes ? 1 : 0);
  });

  test('is named when it is lacking', () => {
    expect(whats({ gates: { require: ['lineage.datasets'] } })).toEqual(['1.3.0 lacks lineage.datasets']);
  });
});

test('all gates are told at once', () => {
  const gates = {
    soak: { for: '1h', requests: 1 },
    evaluation: { auc: { worseBy: 0 } },
    require: ['framework'],
  };

  expect(whats({ gates, present: AUC(1) })).toHaveLength(4);
});
