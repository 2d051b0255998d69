import type { Judged } from './answers.ts';
import type { Observer } from './observer.ts';

/** What a caller in prod feels as bad: no number, or later than the objective allows. */
export const isBad = ({ isNull, tookMs }: Judged): boolean => isNull || tookMs > SLOW_MS;
const SLOW_MS = 40;

export interface RollbackFacts {
  badResponses: number;
  firstBadToTrafficBackMs: number;
  verdictToTrafficBackMs: number;
  lastBadAfterVerdictMs: number;
  verdictToRevertPushedMs: number;
}

/** Times of one rollback as seen from the client's side; `verdictAt` and `revertSeenAt` by the same clock. */
export function rollbackFacts(
  { answers }: Observer,
  { environment, model, version }: { environment: string; model: string; version: string },
  verdictAt: number,
  revertSeenAt: number,
): RollbackFacts {
  const own = answers.of(environment, model, version);
  const bad = own.filter(isBad);
  // A request is where traffic goes when it is sent; its answer may well come later.
  const lastSentTo = Math.max(...own.map(({ sentAt }) => sentAt));
  const lastBad = Math.max(...bad.map(({ atMs }) => atMs), verdictAt);
  return {
    badResponses: bad.length,
    firstBadToTrafficBackMs: Math.max(0, lastSentTo - Math.min(...bad.map(({ atMs }) => atMs), lastSentTo)),
    verdictToTrafficBackMs: Math.max(0, lastSentTo - verdictAt),
    lastBadAfterVerdictMs: lastBad - verdictAt,
    verdictToRevertPushedMs: Math.max(0, revertSeenAt - verdictAt),
  };
}
