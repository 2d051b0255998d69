/** What a verb did, for people and programs alike: what, what git says of it, and how to take it back. */
export interface Outcome {
  did: string;
  /** Null where nothing had to change. */
  git: {
    subject: string;
    /** Null while the controller is still to write it. */
    commit: string | null;
    branch: string | null;
  } | null;
  undo: string | null;
  /** What a person should know beside it. */
  notes: readonly string[];
}
