import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { InLane } from './lanes.ts';
import type { Git } from './run.ts';

/** What is under way in the old clone may end; after that it fails, and is tried again by whoever asked. */
const PATIENCE_MS = 5_000;
/** A remote that is damaged itself would have us clone for ever. */
const PAUSE_MS = 10 * 60_000;
const CHECK_TIMEOUT_MS = 180_000;
/** In the clone, so that a process that finds the damage and ends leaves word for the next. */
const MARK = 'switchback/damaged';

export interface RenewalSettings {
  git: Git;
  directory: string;
  clock: Clock;
  inLane: InLane;
  /** Clones one ref of the remote into a folder that is not there yet. */
  cloneInto: (directory: string, ref: string, signal: AbortSignal) => Promise<void>;
  onRenewed: () => void;
  log?: { warn(fields: object, message: string): void } | undefined;
}

export interface Renewal {
  /** Looks at what went wrong; a sign of damage is remembered. */
  note(error: unknown): void;
  /** Clones anew when the clone is known to be damaged, or is found to be where it was suspected. */
  ifNeeded(ref: string, signal: AbortSignal): Promise<void>;
  /** Resolves when no cloning is under way. */
  idle(): Promise<void>;
}

/**
 * A clone whose files are damaged is replaced by another one that was made beside it, so that what can still be read
 * stays readable while the remote is away. The damaged one is set aside; the one set aside before it is removed.
 */
export function renewal(settings: RenewalSettings): Renewal {
  const { git, directory, clock, inLane } = settings;
  let isDamaged = existsSync(join(directory, MARK));
  let isSuspect = false;
  let notBefore = 0;
  let checkNotBefore = 0;

  function note(error: unknown): void {
    if (!(error instanceof SwitchbackError)) return;
    if (error.code === 'E_GIT_DAMAGED' && !isDamaged) {
      isDamaged = true;
      mark(directory);
    }
    isSuspect ||= error.details['suspicion'] === 'suspect';
  }

  async function renew(ref: string, signal: AbortSignal): Promise<void> {
    if (!isDamaged && isSuspect && clock.now() >= checkNotBefore) {
      isDamaged = !(await isWhole(git, signal));
      isSuspect = false;
      checkNotBefore = clock.now() + PAUSE_MS;
    }
    if (!isDamaged || clock.now() < notBefore) return;
    await replace(settings, ref, signal);
    isDamaged = false;
    isSuspect = false;
    notBefore = clock.now() + PAUSE_MS;
  }

  return {
    note,
    idle: () => inLane('renewal', new AbortController().signal, async () => {}),
    ifNeeded: async (ref, signal) => {
      if (isDamaged || isSuspect) await inLane('renewal', signal, () => renew(ref, signal));
    },
  };
}

async function replace(
  { git, directory, cloneInto, onRenewed, log }: RenewalSettings,
  ref: string,
  signal: AbortSignal,
): Promise<void> {
  const fresh = `${directory}.fresh`;
  await rm(fresh, { recursive: true, force: true });
  try {
    await cloneInto(fresh, ref, signal);
    await rm(asideOf(directory), { recursive: true, force: true });
    // Both at once, so that no git of ours finds nothing in between.
    await git.alone(PATIENCE_MS, () => {
      if (existsSync(directory)) renameSync(directory, asideOf(directory));
      renameSync(fresh, directory);
      onRenewed();
    });
    log?.warn({ aside: asideOf(directory) }, 'the clone was damaged, it was set aside and cloned anew');
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Where a damaged clone is kept for whoever wants to know what happened to it. */
export function asideOf(directory: string): string {
  return `${directory}.damaged`;
}

/** Whether everything that the fetched refs need is there; an id that was never ours says nothing about the clone. */
async function isWhole(git: Git, signal: AbortSignal): Promise<boolean> {
  const args = ['rev-list', '--verify-objects', '--quiet', '--glob=refs/remotes/*'];
  return (await git.run({ args, signal, accept: 'any', timeoutMs: CHECK_TIMEOUT_MS })).code === 0;
}

function mark(directory: string): void {
  try {
    writeFileSync(join(directory, MARK), '');
  } catch {
    // A disk that takes nothing more; the next process finds out by itself.
  }
}
