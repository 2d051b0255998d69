import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../error.ts';
import { type Blame, blameOf, type FailedTry } from './blame.ts';

const AWAKE = { wasAsleep: () => false, isRecovering: false };
const LIMITS = { memoryBytes: 1, timeoutMs: 200, maxBatch: 64 };

function blamed(code: SwitchbackError['code'], more: Partial<FailedTry> = {}, details = {}): Blame {
  return blameOf({
    error: new SwitchbackError(code, 'It failed.', { details }),
    backend: { limits: LIMITS },
    revision: AWAKE,
    rows: 1,
    began: 1000,
    deadline: Number.POSITIVE_INFINITY,
    ...more,
  });
}

describe('a revision answers for', () => {
  test.each<[string, Blame, Blame]>([
    ['its engine that died', blamed('E_ENGINE_DIED'), 'failed'],
    ['its engine that was too late', blamed('E_ENGINE_TIMEOUT'), 'failed'],
    ['not being ready', blamed('E_MODEL_NOT_READY'), 'failed'],
    [
      'nothing where it is being replaced',
      blamed('E_MODEL_NOT_READY', { revision: { ...AWAKE, isRecovering: true } }),
      'nothing',
    ],
    ['nothing that the caller wrote', blamed('E_INPUT'), 'nothing'],
    ['nothing that is too much for the machine', blamed('E_OVERLOADED'), 'nothing'],
    ['nobody who left', blamed('E_DEADLINE', { deadline: 5000 }, { isCallerGone: true }), 'nothing'],
    [
      'nobody whose time was over while it woke',
      blamed('E_DEADLINE', { deadline: 5000, revision: { ...AWAKE, wasAsleep: () => true } }),
      'nothing',
    ],
  ])('%s', (_, said, blame) => {
    expect(said).toBe(blame);
  });
});

describe('a request that was not begun in time says', () => {
  test.each<[string, number, number, Blame]>([
    ['no more than how long it waited, where its time was over when it came', 1, -3, 'late'],
    ['no more than that, where its caller allowed less than a batch may take', 1, 199, 'late'],
    ['that the revision failed it, where its caller allowed all the time of a batch', 1, 200, 'failed'],
    ['the same of one row as of a full batch', 64, 200, 'failed'],
    ['no more than that, where it is of three batches and has the time of two', 129, 599, 'late'],
    ['that the revision failed it, where it has the time of all its batches', 129, 600, 'failed'],
  ])('%s', (_, rows, allowedMs, blame) => {
    expect(blamed('E_DEADLINE', { rows, deadline: 1000 + allowedMs })).toBe(blame);
  });
});
