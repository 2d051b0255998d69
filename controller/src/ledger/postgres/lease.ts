import type { Instant } from '@switchback-ml/schemas';
import type { Acquired, Lease } from '../ledger.ts';
import { NO_LEASE, takenLease } from '../rules.ts';
import { leaseOf } from '../sql/rows.ts';
import type { Talk } from './session.ts';
import { STATEMENTS } from './statements.ts';

interface Asked {
  ttlMs: number;
  /** By the caller's clock, before it asked. */
  now: Instant;
}

/** Each looks before it acts, so it may be done again when its answer was lost. */
export async function grant(
  talk: Talk,
  { holder, ttlMs, now }: Asked & { holder: string },
): Promise<Acquired> {
  const { lease, clock } = await locked(talk);
  return toCaller(await hold(talk, takenLease(lease, holder, ttlMs, clock)), clock, now);
}

export async function renew(talk: Talk, ours: Lease, { ttlMs, now }: Asked): Promise<Acquired> {
  const { lease, clock } = await locked(talk);
  const isOurs = lease.holder === ours.holder && lease.epoch === ours.epoch;
  const answer: Acquired = isOurs
    ? { kind: 'acquired', lease: { ...lease, until: clock + ttlMs } }
    : { kind: 'held', by: lease };
  return toCaller(await hold(talk, answer), clock, now);
}

export async function release(talk: Talk, { holder, epoch }: Lease): Promise<void> {
  await talk.query(STATEMENTS.releaseLease, holder, epoch);
}

async function locked(talk: Talk): Promise<{ lease: Lease; clock: Instant }> {
  const [row] = (await talk.query(STATEMENTS.lockLease)).rows;
  return { lease: leaseOf(row), clock: Number(row?.['clock']) };
}

async function hold(talk: Talk, answer: Acquired): Promise<Acquired> {
  if (answer.kind === 'acquired') {
    const { holder, epoch, until } = answer.lease;
    await talk.query(STATEMENTS.holdLease, holder, epoch, until);
  }
  return answer;
}

/**
 * The end of a lease by the caller's clock: as long from its asking as the server gives from its granting, which was
 * later. So a holder stops believing in its lease before anybody else can have it, however their clocks differ.
 */
function toCaller(answer: Acquired, clock: Instant, now: Instant): Acquired {
  const told = (lease: Lease): Lease =>
    lease.holder === NO_LEASE.holder ? lease : { ...lease, until: lease.until - clock + now };
  return answer.kind === 'acquired'
    ? { kind: 'acquired', lease: told(answer.lease) }
    : { kind: 'held', by: told(answer.by) };
}
