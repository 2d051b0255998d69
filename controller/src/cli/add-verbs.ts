import type { Command } from 'commander';
import type { ExitCode, Terminal } from './terminal.ts';

/** Adds verbs whose actions end in an exit code, which `finish` takes. */
export type AddVerbs = (program: Command, terminal: Terminal, finish: (code: ExitCode) => void) => void;
