/** Who brings what an id asks for, where it isn't tested yet: one word for each capability that is still to come. */
export type Capability =
  | 'runtime protocols'
  | 'forges and webhooks'
  | 'commit signatures'
  | 'sign-on and tokens'
  | 'management API'
  | 'batch inference'
  | 'the page';

/** One hostile input by its id: what it is, and the tests that send it, or the capability that will. */
export type HostileInput =
  | {
      what: string;
      /** From the top of the repository. */
      file: string;
      /** Their names, or keys of their table cases, as they stand in that file. */
      tests: readonly [string, ...string[]];
    }
  | { what: string; left: Capability };

export type HostileInputs = Readonly<Record<string, HostileInput>>;
