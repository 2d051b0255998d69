import type { InstanceId, Loaded, RevisionId } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import type { Analysis, Attest } from './analysis.ts';
import { loads } from './loads.ts';

const candidate = 'aaaaaaaaaaaa-00000000' as RevisionId;
const stable = 'bbbbbbbbbbbb-00000000' as RevisionId;
const analysis: Analysis = { candidate, stable, objectives: {}, startedAt: 1000, eventBudget: 500 };

function attest(
  code: string | null,
  more: { instance?: string; revision?: RevisionId; heardAt?: number } = {},
): Attest {
  const loaded = {
    model: 'screening',
    revision: more.revision ?? candidate,
    version: '1.0.0',
    digest: `sha256:${'0'.repeat(64)}`,
    state: code === null ? 'ready' : 'failed',
    ...(code !== null && { failure: { code, message: 'row 3\nis off' } }),
    since: 1500,
  } as Loaded;
  return {
    instanceId: (more.instance ?? '00000001') as InstanceId,
    heardAt: more.heardAt ?? 2000,
    loaded,
  };
}

test.each(['E_MODEL_GOLDEN', 'E_MODEL_LOAD', 'E_MODEL_SIGNATURE', 'E_ENGINE_DIED'])(
  'asks for a rollback when one of two instances reports %s',
  code => {
    const finding = loads(analysis, [attest(null), attest(code, { instance: '00000002' })]);

    expect(finding).toMatchObject({
      objective: 'loads',
      verdict: 'degraded',
      breach: 'rollback',
      candidate: { bad: 1, total: 2 },
      test: 'attest',
    });
  },
);

test('says what is wrong in one line', () => {
  expect(loads(analysis, [attest('E_MODEL_GOLDEN')])?.reason).toBe(
    'does not give its golden answers: row 3 is off',
  );
});

test.each([
  ['a pull that failed', attest('E_ARTIFACT_PULL')],
  ['a failure of stable', attest('E_MODEL_LOAD', { revision: stable })],
  ['words from before the analysis', attest('E_MODEL_LOAD', { heardAt: 999 })],
  ['an instance that is ready', attest(null)],
])('does not blame the candidate for %s', (_, word) => {
  expect(loads(analysis, [word])).toBeNull();
});

test('does not mind the order of instances', () => {
  const words = [
    attest('E_MODEL_LOAD', { instance: '00000002' }),
    attest('E_ENGINE_DIED', { instance: '00000001' }),
  ];

  expect(loads(analysis, words)).toEqual(loads(analysis, words.toReversed()));
});
