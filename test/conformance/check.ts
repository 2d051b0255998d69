import type { Sampled, Subject } from './subject.ts';

/** What became of a check. */
export type Outcome =
  | { kind: 'pass' }
  | { kind: 'fail'; expected: string; got: string }
  | { kind: 'skipped'; why: string };

/** One thing that a server does, seen from outside. */
export interface Check {
  /** A sentence of which the server is the subject; unique. */
  name: string;
  /** Where it is said: a place in a specification, or whose expectation it is. */
  source: string;
  /** No specification asks for it: told apart, and never a reason to fail. */
  isBeyond?: true;
  look: (subject: Subject) => Promise<Outcome>;
}

export interface Group {
  name: string;
  /** Looked at only where the server declares it. */
  extension?: string;
  checks: readonly Check[];
}

export const PASS: Outcome = { kind: 'pass' };

export function fail(expected: string, got: string): Outcome {
  return { kind: 'fail', expected, got };
}

export function skipped(why: string): Outcome {
  return { kind: 'skipped', why };
}

/** The first that is no pass, else a pass. */
export function all(...outcomes: readonly Outcome[]): Outcome {
  return outcomes.find(({ kind }) => kind !== 'pass') ?? PASS;
}

export function expecting(isMet: boolean, expected: string, got: string): Outcome {
  return isMet ? PASS : fail(expected, got);
}

/** For checks that vary a request which is known to be answered. */
export function sampled(look: (subject: Sampled) => Promise<Outcome>): Check['look'] {
  return async subject =>
    subject.sample === null || subject.answered === null
      ? skipped('no request is known that the model answers; give one with --request')
      : look({ ...subject, sample: subject.sample, answered: subject.answered });
}
