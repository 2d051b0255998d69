import type { Backend } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../error.ts';
import type { Revision } from '../loading/revision.ts';

/**
 * What a failed try says of its revision. late: only that it kept its caller waiting, which makes it slow and nothing
 * else.
 */
export type Blame = 'nothing' | 'late' | 'failed';

export interface FailedTry {
  error: SwitchbackError;
  backend: Pick<Backend, 'limits'>;
  revision: Pick<Revision, 'wasAsleep' | 'isRecovering'> | undefined;
  rows: number;
  /** When it was handed to the revision, and until when its caller cared: by the clock's `elapsed`. */
  began: number;
  deadline: number;
}

/** The caller's doing, or the shortness of the whole machine: nothing that a revision answers for. */
const NOT_ITS_OWN = new Set(['E_INPUT', 'E_OVERLOADED']);

/**
 * Nor does a request say anything whose caller left, whose time was over while a revision woke, or that met an engine
 * being replaced and went elsewhere: those aboard when it died are counted, so that one death weighs as one.
 */
export function blameOf(tried: FailedTry): Blame {
  const { error, revision, began } = tried;
  const { code, details } = error;
  if (NOT_ITS_OWN.has(code) || details['isCallerGone'] === true) return 'nothing';
  if (code === 'E_DEADLINE') return revision?.wasAsleep(began) === true ? 'nothing' : blameOfWait(tried);
  return code === 'E_MODEL_NOT_READY' && revision?.isRecovering === true ? 'nothing' : 'failed';
}

/**
 * Whose time was over before it was begun was kept waiting just as long as its caller allowed: how long is the caller's
 * choice, and a microsecond would fail with any revision. So what it allowed is held against what git says of the
 * revision, which no caller can change: it failed where it had not even begun after all the time that its batches may
 * take, each of them for a request of several. What the revision was seen to take would not do: the slower it
 * became, the more it would be excused. Where its caller allowed less, it says no more than how long it waited, which
 * an objective of being fast can judge.
 */
function blameOfWait({ backend, rows, began, deadline }: FailedTry): Blame {
  const { timeoutMs, maxBatch } = backend.limits;
  const batches = Math.max(1, Math.ceil(rows / maxBatch));
  return deadline - began >= timeoutMs * batches ? 'failed' : 'late';
}
