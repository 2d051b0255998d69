import type { Round } from '../round.ts';

/** Where in a round something is done to the world. */
export type Point = 'begun' | 'released' | 'canary' | 'found bad' | 'moved' | 'told';

/** A round as it goes; `at` each point it waits for what is done there. */
export interface Story {
  tell(round: Round, at: (point: Point) => Promise<void>): Promise<void>;
  /** Subjects that the round adds to the branch, each once, and the files of its revert. */
  commits(round: Round): readonly string[];
  records(round: Round): readonly string[];
  revert(round: Round): { subject: string; files: readonly string[] };
  /** Name of the version that fails in prod, and whether another than the stable one serves in staging at the end. */
  bad(round: Round): string;
  staging(round: Round): string;
}
