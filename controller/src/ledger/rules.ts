import type { Instant } from '@switchback-ml/schemas';
import type { Acquired, Advance, Lease, OperationRecord, OperationState } from './ledger.ts';

/** One read of events never returns more, whatever was asked for; ask again with `after`. */
export const EVENTS_AT_MOST = 10_000;

/** The lease before anybody held it, and, with its epoch, after a release: held by nobody. */
export const NO_LEASE: Lease = { holder: '', epoch: 0, until: 0 };

export type OperationStep = NonNullable<Advance['operations']>[number];

const ENDED: readonly OperationState[] = ['done', 'superseded', 'withheld'];

export function isOpen(record: OperationRecord): boolean {
  return !ENDED.includes(record.state);
}

/**
 * Who holds the lease after `holder` asked. The epoch rises whenever the lease was not already this holder's, so
 * also after a release: what was begun under the old epoch stays fenced.
 */
export function takenLease(current: Lease, holder: string, ttlMs: number, now: Instant): Acquired {
  const isOurs = current.holder === holder;
  const isFree = current.holder === NO_LEASE.holder || current.until <= now;
  if (!isOurs && !isFree) return { kind: 'held', by: current };
  return {
    kind: 'acquired',
    lease: { holder, epoch: isOurs ? current.epoch : current.epoch + 1, until: now + ttlMs },
  };
}
