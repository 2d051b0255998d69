import type { SteppedClock } from '../clock.fixture.ts';
import type { FarStore, Lookup } from './store.ts';

export interface ScriptedFar extends FarStore {
  /** What it has, by name; whoever knows no names sets `always`. */
  readonly kept: Map<string, Lookup>;
  /** What each lookup is answered with, instead. */
  always: Lookup | null;
  asked: number;
}

/** A second level that takes as long as the test wants, by the test's clock. */
export function scriptedFar(clock: SteppedClock, roundTripMs: number): ScriptedFar {
  const kept = new Map<string, Lookup>();
  const far: ScriptedFar = {
    kept,
    always: null,
    asked: 0,
    shelf: ({ revision }) => ({
      async find(name) {
        far.asked++;
        await clock.sleep(roundTripMs);
        return far.always ?? kept.get(revision + name) ?? { kind: 'absent' };
      },
      keep: (name, reply, until) => void kept.set(revision + name, { kind: 'known', reply, until }),
    }),
    describe: () => ({
      reading: 'closed',
      writing: 'closed',
      lastFailure: null,
      found: 0,
      absent: 0,
      failed: 0,
      notAsked: 0,
      written: 0,
      writes: 0,
      notWritten: 0,
      refused: { malformed: 0, 'too-large': 0, foreign: 0, forged: 0, expired: 0 },
    }),
    [Symbol.asyncDispose]: async () => {},
  };
  return far;
}
