import type { CacheReport, RevisionReport } from '../cache/cache.ts';
import { REVISION } from './served.fixture.ts';

export function revisionReport(more: Partial<RevisionReport> = {}): RevisionReport {
  const far = { isAsked: true, why: 'pays', reason: 'it pays' } as const;
  return { revision: REVISION, bytes: 3000, entries: 2, costMs: 4, far, ...more };
}

/** Of a cache before a Redis that does well. */
export function cacheReport(revisions: RevisionReport[] = [revisionReport()]): CacheReport {
  const counts = { memoryHits: 0, farHits: 0, shared: 0, misses: 0, notKept: 0 };
  const forgotten = { tooLarge: 1, evicted: 2, expired: 3 };
  return {
    bytes: 3000,
    budgetBytes: 2 ** 20,
    entries: 2,
    forgotten,
    models: [{ model: 'fraud', ...counts, ...forgotten, revisions }],
    far: {
      reading: 'closed',
      writing: 'open',
      lastFailure: null,
      found: 5,
      absent: 6,
      failed: 7,
      notAsked: 8,
      written: 9,
      writes: 10,
      notWritten: 11,
      refused: { malformed: 0, 'too-large': 0, foreign: 0, forged: 12, expired: 0 },
      roundTripMs: 0.5,
    },
  };
}
