import { existsSync, renameSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { judgeWords } from './damage.ts';
import { STALE_LOCK_MS } from './fetch.ts';
import { asideOf } from './renewal.ts';
import { type Git, gitRunner } from './run.ts';
import { sweep } from './sweep.ts';

const OLDEST_GIT = [2, 38] as const;
const OPEN_TIMEOUT_MS = 30_000;

export interface CloneSettings {
  directory: string;
  clock: Clock;
  environment: Readonly<Record<string, string>>;
  /** Values that must not appear in any message. */
  secrets: readonly string[];
  log?: { warn(fields: object, message: string): void } | undefined;
}

/** Where files of the moment stand, and the empty home that git is given. */
export const scratchOf = (directory: string): string => join(directory, 'switchback');
export const homeOf = (directory: string): string => join(scratchOf(directory), 'home');

/** A bare clone, made when missing; what a crash left half made is completed, what can't be opened is set aside. */
export async function openClone(settings: CloneSettings): Promise<Git> {
  const { directory, clock, environment, secrets, log } = settings;
  const home = homeOf(directory);
  await mkdir(home, { recursive: true });
  const git = gitRunner({ directory, home, environment, secrets });
  await checkVersion(git);

  const swept = await sweep(directory, clock.now() - STALE_LOCK_MS);
  if (swept.length > 0) log?.warn({ swept }, 'removed what a killed git left in the clone');
  const said = await initialize(git);
  if (said === null) return git;
  // A git that was killed a moment ago left its lock; nobody else opens this clone.
  await sweep(directory, Number.POSITIVE_INFINITY);
  const saidAgain = await initialize(git);
  if (saidAgain === null) return git;
  if (judgeWords(saidAgain) !== 'damaged') throw cannotOpen(saidAgain);
  await setAside(directory, home);
  log?.warn({ aside: asideOf(directory) }, 'the clone can not be opened, it was set aside');
  const atLast = await initialize(git);
  if (atLast !== null) throw cannotOpen(atLast);
  return git;
}

/** Null when it went well, else what git said. */
async function initialize(git: Git): Promise<string | null> {
  for (const args of [
    ['init', '--quiet', '--bare', '--template='],
    // It may have made a repository out of nothing that is one, and left what no other command takes.
    ['rev-parse', '--is-bare-repository'],
  ]) {
    const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
    const { code, stderr } = await git.run({ args, signal, accept: 'any' });
    if (code !== 0) return stderr;
  }
  return null;
}

async function setAside(directory: string, home: string): Promise<void> {
  await rm(asideOf(directory), { recursive: true, force: true });
  if (existsSync(directory)) renameSync(directory, asideOf(directory));
  await mkdir(home, { recursive: true });
}

async function checkVersion(git: Git): Promise<void> {
  const { stdout } = await git.run({ args: ['version'], signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout.toString('latin1'))?.map(Number) ?? [];
  if (major > OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor >= OLDEST_GIT[1])) return;
  throw new SwitchbackError(
    'E_GIT_MISSING',
    `git ${major}.${minor} is too old; install ${OLDEST_GIT.join('.')} or newer.`,
  );
}

function cannotOpen(said: string): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_FAILED',
    `The clone of the model repository can not be opened: ${said.trim()}`,
  );
}
