/** What a command sees of the world it was called from; passed in, so that a test can be one. */
export interface Terminal {
  /** What was asked for: may be piped on. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  directory: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Aborts at Ctrl-C, or when the terminal goes. */
  signal: AbortSignal;
  now(): number;
}

/** The command line promises these to scripts. */
export const EXIT = { ok: 0, differs: 1, error: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
