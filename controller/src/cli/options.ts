import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type GitOptions, isFolder } from '../command/index.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_STATE = '.switchback';

/** Where the controller keeps its things. */
export function withState(verb: Command): Command {
  return verb.option('--state <folder>', 'state directory of the controller', DEFAULT_STATE);
}

export function withOutput(verb: Command): Command {
  return verb.option(
    '-o, --output <form>',
    'json: for programs; text: for people',
    oneOf(['text', 'json']),
    'text',
  );
}

/** Which repository a change goes to, and how. */
export function withGit(verb: Command): Command {
  return withState(verb)
    .option('--repo <url or folder>', 'model repository (default: what the controller of --state watches)')
    .option('--base <branch>', 'its branch (default: what the controller watches, else main)')
    .option('--root <folder>', 'folder of the model repository within the git repository')
    .option('--branch <name>', 'push a new branch of this name, for a pull request, instead');
}

export function withReason(verb: Command): Command {
  return verb.option('--reason <text>', 'why; goes into git');
}

export interface GitFlags {
  state: string;
  repo?: string;
  base?: string;
  root?: string;
  branch?: string;
}

export function gitOptions(flags: GitFlags, { directory, environment, signal }: Terminal): GitOptions {
  const { state, repo, base, root, branch } = flags;
  return {
    state: resolve(directory, state),
    repo: repo && from(directory, repo),
    base,
    root,
    branch,
    directory,
    environment,
    signal,
  };
}

export function stateOf({ state }: { state: string }, { directory }: Terminal): string {
  return resolve(directory, state);
}

/** A folder is meant from where the command was called; an address is taken as it is. */
export function from(directory: string, where: string): string {
  return isFolder(where) ? resolve(directory, where) : where;
}

/** What to add to a command that is suggested, so that it means the same controller. */
export function stateHint({ state }: { state: string }): string {
  return state === DEFAULT_STATE ? '' : ` --state ${state}`;
}

export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return text => {
    const word = words.find(known => known === text);
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
  };
}

export function numberBetween(low: number, high: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It is a number from ${low} to ${high}.`);
  };
}
