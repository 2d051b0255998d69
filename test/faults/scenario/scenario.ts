import type { Round, Seed } from '../round.ts';
import type { Point, Story } from '../story/story.ts';
import type { Ground } from '../world/world.ts';

/** What is done to a world while a story is told in it, and what that in particular must have led to. */
export interface Fault {
  /** Another story than that of a bad version. */
  story?: Story;
  /** Awaited where the story stands; what goes on beside it is put into `round.meanwhile`. */
  at?: Partial<Record<Point, (round: Round) => Promise<void>>>;
  /** After the world came to rest, before the invariants. */
  judge?: (round: Round) => Promise<void>;
  /** The remote would not take them, by way of this fault. */
  losesRecords?: true;
}

export interface Scenario {
  name: string;
  ground?: Ground;
  /** Why it can't be played on this machine; null: it can. */
  whyNot?: () => Promise<string | null>;
  fault(seed: Seed): Fault;
}

/** One of three by seed. */
export const bySeed = <Choice>(seed: Seed, choices: readonly [Choice, Choice, Choice]): Choice =>
  choices[seed - 1] as Choice;
