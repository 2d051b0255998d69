import type { Finding, InstanceId, Loaded, OperationId, RevisionId } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { rollbackIntent } from '../proposal/intent.fixture.ts';
import { rollbackMessage } from '../proposal/message.ts';
import { specOf } from '../rollout/rollout.fixture.ts';
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

test('says a wrong golden answer once, and early enough for the subject of the commit', () => {
  const word = attest('E_MODEL_GOLDEN');
  const message =
    'The model does not give its golden answers: row 3: score is 0.91 and should be 0.07 (tolerance 0.00001); 1 of 64 values differ.';
  const { reason } = loads(analysis, [
    { ...word, loaded: { ...word.loaded, failure: { code: 'E_MODEL_GOLDEN', message } } },
  ]) as Finding;

  expect(reason).toMatch(/^golden row 3: score is 0\.91 and should be 0\.07/);
  const subject = rollbackMessage(
    rollbackIntent(specOf('1.3.0'), specOf('1.1.0'), { reason }),
    { operation: '0123456789abcdef' as OperationId, epoch: 1 },
    { reverts: null, note: null, holdOnly: false },
  ).split('\n')[0];
  expect(subject).toMatch(/\(golden row 3: score is 0\.9.*\), 1\.3\.0 on hold$/);
});

test('says a signature that is another one once', () => {
  const word = attest('E_MODEL_SIGNATURE');
  const failure = {
    code: 'E_MODEL_SIGNATURE',
    message: "The signature is not the model's: input x is [-1, 2].",
  };

  expect(loads(analysis, [{ ...word, loaded: { ...word.loaded, failure } }])?.reason).toBe(
    'does not have the signature it was registered with: input x is [-1, 2]',
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
