import type { Instant } from '@switchback-ml/schemas';

const WINDOW_MS = 60_000;
const MOST_CRASHES = 5;
const FIRST_BACKOFF_MS = 100;
/** A life this long, or with so many answers, was worth an engine: whatever ends it begins the count anew. */
const WORTHY_UP_MS = 60_000;
const WORTHY_ANSWERS = 50;
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 5 * 60_000;

/** The crashes of one revision that count. */
export interface CrashHistory {
  crashes: readonly Instant[];
  /** How often in a row it rested. */
  rests: number;
}

export const NO_CRASHES: CrashHistory = { crashes: [], rests: 0 };

/** What an engine did before it went. */
export interface Life {
  /** Since it was ready; 0 when it never was. */
  upMs: number;
  /** Batches. */
  answers: number;
}

export type AfterCrash =
  | { kind: 'replace'; afterMs: number; history: CrashHistory }
  /** Shed requests meanwhile, instead of burning an engine for each. */
  | { kind: 'rest'; afterMs: number; history: CrashHistory };

/**
 * What follows a crash at `now`. A first one is replaced at once, so that a single accident costs no time; then waits
 * double. The fifth within a minute brings a rest, and so does each crash on probation after one: rests double from
 * a second to five minutes, between half and all of it by `random`, in [0, 1). A request that kills engines now and
 * then among many that don't is no reason to rest: that would let one caller take the model from all.
 */
export function afterCrash(earlier: CrashHistory, life: Life, now: Instant, random: number): AfterCrash {
  const isWorthy = life.upMs >= WORTHY_UP_MS || life.answers >= WORTHY_ANSWERS;
  const before = isWorthy ? NO_CRASHES : earlier;
  const crashes = [...before.crashes.filter(at => at > now - WINDOW_MS), now].slice(-MOST_CRASHES);
  if (before.rests > 0 || crashes.length >= MOST_CRASHES) {
    const longestMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** before.rests);
    return {
      kind: 'rest',
      afterMs: longestMs * (0.5 + random / 2),
      history: { crashes, rests: before.rests + 1 },
    };
  }
  const afterMs = crashes.length === 1 ? 0 : FIRST_BACKOFF_MS * 2 ** (crashes.length - 2);
  return { kind: 'replace', afterMs, history: { crashes, rests: before.rests } };
}
