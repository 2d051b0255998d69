import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type GitOptions, isFolder, type ReadOptions } from '../command/index.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_STATE = '.switchback';

/** Where the controller keeps its things. */
export function withState(verb: Command): Command {
  return verb.option('--state <folder>', 'state directory of the controller', DEFAULT_STATE);
}

export function withOutput(verb: Command): Command {
  return verb
    .option('-o, --output <form>', 'json: for programs; text: for people', oneOf(['text', 'json']), 'text')
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' }));
}

/** Which repository a change goes to, and how. */
export function withGit(verb: Command): Command {
  return withRepository(verb, 'what the controller of --state watches').option(
    '--branch <name>',
    'push a new branch of this name, for a pull request, instead',
  );
}

/** Which repository is read; a clone that one stands in will do. */
export function withReading(verb: Command): Command {
  return withRepository(verb, 'what the controller of --state watches, else the clone you stand in');
}

function withRepository(verb: Command, otherwise: string): Command {
  return withState(verb)
    .option('--repo <url or folder>', `model repository (default: ${otherwise})`)
    .option('--base <branch>', 'its branch (default: what the controller watches, else main)')
    .option('--root <folder>', 'folder of the model repository within the git repository');
}

export function withReason(verb: Command): Command {
  return verb.option('--reason <text>', 'why; goes into git');
}

export interface StateFlags {
  state: string;
  output: 'text' | 'json';
}

export interface ReadFlags extends StateFlags {
  repo?: string;
  base?: string;
  root?: string;
}

export interface GitFlags extends Omit<ReadFlags, 'output'> {
  branch?: string;
}

export function gitOptions(flags: GitFlags, terminal: Terminal): GitOptions {
  return { ...readOptions(flags, terminal), branch: flags.branch };
}

export function readOptions(
  { state, repo, base, root }: Omit<ReadFlags, 'output'>,
  { directory, environment, signal }: Terminal,
): ReadOptions {
  return {
    state: resolve(directory, state),
    repo: repo && from(directory, repo),
    base,
    root,
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
