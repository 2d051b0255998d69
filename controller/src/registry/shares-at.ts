import { type Instant, VersionLabel } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { RevisionSpec } from '../desired/desired-state.ts';
import type { Settled } from '../rollout/rollout-state.ts';

/** A share of the requests, in percent; `atMost` where the records leave open which step had begun. */
export const Share = z.object({ version: VersionLabel, weight: z.number(), atMost: z.number().optional() });
export type Share = z.infer<typeof Share>;

export interface SharesRequest {
  /** What git asked for then. */
  release: { version: VersionLabel | null; at: Instant } | null;
  /** Of this deployment, in the order of the chain. */
  records: readonly Settled[];
  at: Instant;
}

/**
 * Who had which share then. A record tells of the whole time from its rollout's beginning to its end, and of what
 * served after it. Null shares: no record tells of that time.
 */
export function sharesAt({ release, records, at }: SharesRequest): {
  shares: Share[] | null;
  record: Settled | null;
} {
  const covering = records.find(({ startedAt, at: end }) => startedAt <= at && at < end);
  const before = records.findLast(({ at: end }) => end <= at);
  if (covering) return { shares: sharesDuring(covering, records, at), record: covering };
  if (!before) return { shares: null, record: null };
  if (isFollowed(before, release)) return { shares: null, record: before };
  return { shares: sharesAfter(before, records), record: before };
}

/** Whether something began after it that no record tells of: it is on its way, or took over without a rollout. */
function isFollowed({ outcome, revision, stable, at }: Settled, release: SharesRequest['release']): boolean {
  if (outcome === 'superseded') return stable === null || release?.version !== stable.version;
  if (release === null || release.version === null) return false;
  return release.at > at && release.version !== (stable ?? revision).version;
}

function sharesDuring(record: Settled, records: readonly Settled[], at: Instant): Share[] {
  const { revision } = record;
  const isStable = records.some(
    other =>
      other.outcome === 'baked' &&
      other.revision.id === revision.id &&
      other.at <= at &&
      other.startedAt === record.startedAt,
  );
  if (isStable) return [whole(revision)];
  return split(record, partnerOf(record, records), weightsAt(record, at));
}

/** What served when all was over; a rollout past its deadline goes on at the weight that it had. */
function sharesAfter(record: Settled, records: readonly Settled[]): Share[] {
  if (record.outcome === 'undecided')
    return split(record, partnerOf(record, records), weightsAt(record, Number.POSITIVE_INFINITY));
  return record.stable === null ? [] : [whole(record.stable)];
}

/** Who had the rest: the record of a bake names itself as what serves after, so the one before it tells. */
function partnerOf(record: Settled, records: readonly Settled[]): RevisionSpec | null {
  if (record.outcome !== 'baked') return record.stable;
  const before = records.findLast(({ at, subject }) => subject === record.subject && at <= record.startedAt);
  return before?.stable ?? null;
}

/**
 * Percent of the candidate. The trail has the beginning of each step that it left behind; of the one it was in when
 * it ended the beginning is not written, only that it was not before the one before was due.
 */
function weightsAt({ revision, outcome, trail }: Settled, at: Instant): { low: number; high: number } {
  const { steps } = revision.settings.rollout;
  const weightOf = (index: number): number => steps[index]?.weight ?? 100;
  const index = trail.findLastIndex(step => step.at <= at);
  const begun = trail[index];
  if (begun === undefined) return { low: weightOf(0), high: weightOf(0) };
  const isOver = index < trail.length - 1 || outcome === 'baked';
  const isDue = at >= begun.at + (steps[index]?.forMs ?? 0);
  return { low: begun.weight, high: isOver || !isDue ? begun.weight : weightOf(index + 1) };
}

function split(
  { revision }: Settled,
  partner: RevisionSpec | null,
  { low, high }: { low: number; high: number },
): Share[] {
  const open = high > low ? { atMost: high } : {};
  if (partner === null || low === 100)
    return [{ version: revision.version, weight: partner === null ? 100 : low }];
  const rest = 100 - high;
  return [
    { version: partner.version, weight: rest, ...(high > low ? { atMost: 100 - low } : {}) },
    { version: revision.version, weight: low, ...open },
  ];
}

function whole({ version }: RevisionSpec): Share {
  return { version, weight: 100 };
}
