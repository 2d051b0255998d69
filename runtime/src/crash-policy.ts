import type { Instant } from '@switchback-ml/schemas';

const WINDOW_MS = 60_000;
const MOST_CRASHES = 5;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;

export type AfterCrash =
  | { kind: 'replace'; afterMs: number; crashes: readonly Instant[] }
  | { kind: 'give-up'; crashes: readonly Instant[] };

/**
 * What follows a crash at `now`, given the earlier ones: a first one is replaced at once, so that a single accident
 * costs no time; then waits double; the fifth within a minute is the last.
 */
export function afterCrash(earlier: readonly Instant[], now: Instant): AfterCrash {
  const crashes = [...earlier.filter(at => at > now - WINDOW_MS), now];
  if (crashes.length >= MOST_CRASHES) return { kind: 'give-up', crashes };
  const afterMs =
    crashes.length === 1 ? 0 : Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (crashes.length - 2));
  return { kind: 'replace', afterMs, crashes };
}
