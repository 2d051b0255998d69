/** Who brings what a fault asks for, where it can't be tried yet. */
export type Capability = 'PostgreSQL';

/** A scenario of `npm run faults` by its name, or tests by theirs as they stand in that file. */
export type Proof =
  | { scenarios: readonly [string, ...string[]] }
  | {
      /** From the top of the repository. */
      file: string;
      tests: readonly [string, ...string[]];
    };

/** One fault by its id: what happens, and what shows that the promise is kept. */
export type NamedFault = { what: string; proofs: readonly [Proof, ...Proof[]]; left?: Capability };
