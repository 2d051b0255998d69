import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { qualifiedRef } from '../ref.ts';
import { parseRemoteUrl } from '../remote-url.ts';
import type { Repository } from '../repository.ts';
import { BlobReader } from './blob-reader.ts';
import { makeCommit } from './commit.ts';
import { gitEnvironment } from './environment.ts';
import { fetchedHead, refFetcher, STALE_LOCK_MS } from './fetch.ts';
import { notDescended, pushRef } from './push.ts';
import { LOG_FORMAT, parseHistory } from './raw.ts';
import { EMPTY_TREE, makeRevert, treeChanges } from './revert.ts';
import { FATAL, type Git, gitRunner } from './run.ts';
import { sweep } from './sweep.ts';
import { oneLine } from './words.ts';

const OLDEST_GIT = [2, 38] as const;
const LOG_TIMEOUT_MS = 180_000;
const OPEN_TIMEOUT_MS = 30_000;

export interface GitRepositorySettings {
  /** https, ssh, http to this machine, or with `allowFile` a path. */
  url: string;
  /** The bare clone; made when missing. Ours alone: one process fetches here. */
  directory: string;
  allowFile: boolean;
  /** Credentials and settings for git, as environment variables; their values never reach a message. */
  environment?: Readonly<Record<string, string>>;
  clock?: Clock;
  log?: { warn(fields: object, message: string): void };
}

/** The model repository through the system's git, on a bare clone that is never checked out. */
export async function gitRepository(settings: GitRepositorySettings): Promise<Repository> {
  const { directory, environment = {}, clock = systemClock, log } = settings;
  const remote = parseRemoteUrl(settings.url, settings);
  const scratch = join(directory, 'switchback');
  const home = join(scratch, 'home');
  await mkdir(home, { recursive: true });
  const env = gitEnvironment({ kind: remote.kind, home, extra: environment });
  const git = gitRunner({ directory, home, environment: env, secrets: secretsOf(environment) });

  const swept = await sweep(directory, clock.now() - STALE_LOCK_MS);
  if (swept.length > 0) log?.warn({ swept }, 'removed what a killed git left in the clone');
  await openClone(git);

  const blobs = new BlobReader(git);
  const closing = new AbortController();
  const until = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);
  const mayAskDirectly = Object.keys(environment).length === 0;
  const fetch = refFetcher({ git, directory, remote, clock, mayAskDirectly });

  const repository: Repository = {
    fetch: async (ref, signal) => fetch(qualifiedRef(ref), until(signal)),
    recall: async (ref, signal) => {
      const commit = await fetchedHead(git, qualifiedRef(ref), until(signal));
      return commit === null ? { kind: 'empty' } : { kind: 'commit', commit };
    },
    diff: (from, to, signal) => treeChanges(git, from ?? EMPTY_TREE, to, until(signal)),
    history: async (from, to, signal) => {
      const args = [
        ...[
          'log',
          '--first-parent',
          '--diff-merges=first-parent',
          '--raw',
          '-z',
          '--no-renames',
          '--no-abbrev',
          '--root',
        ],
        ...[
          '--reverse',
          '--no-color',
          '--no-notes',
          '--no-ext-diff',
          '--encoding=UTF-8',
          `--format=${LOG_FORMAT}`,
        ],
        ...['--end-of-options', from === null ? to : `${from}..${to}`, '--'],
      ];
      const { stdout } = await git.run({ args, signal: until(signal), timeoutMs: LOG_TIMEOUT_MS });
      return parseHistory(stdout);
    },
    isAncestor: async (ancestor, descendant, signal) => {
      const args = ['merge-base', '--is-ancestor', '--end-of-options', ancestor, descendant];
      const { code, stderr } = await git.run({ args, signal: until(signal), accept: [0, 1, FATAL] });
      if (code !== FATAL) return code === 0;
      if (/Not a valid (?:commit|object) name|bad object/.test(stderr)) return false;
      throw new SwitchbackError('E_GIT_FAILED', `git merge-base failed: ${oneLine(stderr)}`);
    },
    readBlob: (blob, limitBytes, signal) => blobs.read(blob, limitBytes, until(signal)),
    commit: (commit, signal) => makeCommit({ git, scratch }, commit, until(signal)),
    revert: (commit, head, signal) => makeRevert({ git, blobs }, commit, head, until(signal)),
    push: async (name, expected, next, signal) => {
      const update = { ref: qualifiedRef(name), expected, next };
      if (expected !== null && !(await repository.isAncestor(expected, next, signal)))
        throw notDescended(update);
      return pushRef({ git, remote, fetch }, update, until(signal));
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new SwitchbackError('E_GIT_FAILED', 'The repository is closed.'));
      await blobs[Symbol.asyncDispose]();
      await git.idle();
    },
  };
  return repository;
}

/** Idempotent: what is there is kept, what a crash left half made is completed. */
async function openClone(git: Git): Promise<void> {
  const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
  const { stdout } = await git.run({ args: ['version'], signal });
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout.toString('latin1'))?.map(Number) ?? [];
  if (major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1])) {
    throw new SwitchbackError(
      'E_GIT_MISSING',
      `git ${major}.${minor} is too old; install ${OLDEST_GIT.join('.')} or newer.`,
    );
  }
  await git.run({ args: ['init', '--quiet', '--bare', '--template='], signal });
}

const HARMLESS =
  /^(?:HOME|PATH|LANG|LC_\w+|USER|LOGNAME|TERM|SSH_AUTH_SOCK|SSH_ASKPASS|GIT_ASKPASS|GIT_SSH_COMMAND|GIT_CONFIG_GLOBAL|GIT_CONFIG_COUNT|GIT_CONFIG_KEY_\d+)$/;
const SHORTEST_SECRET = 6;

/** Every value that is not known to be harmless, whole and word by word: a header holds scheme and token. */
function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => !HARMLESS.test(name))
    .flatMap(([, value]) => [value, ...value.split(/\s+/)])
    .filter(value => value.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
}
