import type { Status } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { readControllerFile } from '../controller/state-directory.ts';
import type { Progress } from '../progress.ts';
import { status } from '../status.ts';

const LOOK_MS = 100;
const ANSWER_WITHIN_MS = 2000;
/** It listens before it reads the repository; one that takes longer is stuck. */
const LISTENING_WITHIN_MS = 60_000;
/** With the remote away it leads and serves what it served; that is worth a word, not an end. */
const READY_WITHIN_MS = 60_000;
/** Loading goes on behind; this is only how long `up` watches it. */
const SERVING_WITHIN_MS = 60_000;

const Unready = z.object({ reasons: z.array(z.string()) });

export interface WaitOptions {
  state: string;
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
}

export interface Reached {
  address: string;
  /** Why it is not ready after all the patience; null: it is. */
  unready: string | null;
}

/** Resolves once this very process is ready, or listens and is not for a reason. Throws E_INTERNAL if it does neither. */
export async function controllerReached(pid: () => number | null, options: WaitOptions): Promise<Reached> {
  const { state, clock, progress, signal } = options;
  const startedAt = clock.now();
  for (;;) {
    signal.throwIfAborted();
    const address = addressOf(state, pid());
    const unready = address === null ? 'the controller starts' : await unreadyReason(address, signal);
    if (address !== null && (unready === null || clock.now() - startedAt >= READY_WITHIN_MS))
      return { address, unready };
    if (address === null && clock.now() - startedAt >= LISTENING_WITHIN_MS)
      throw new SwitchbackError(
        'E_INTERNAL',
        `The controller does not listen after ${LISTENING_WITHIN_MS / 1000} s. Its log is controller.log in the state directory.`,
      );
    progress(`waiting: ${unready}`);
    await clock.sleep(LOOK_MS, signal);
  }
}

/** Whether this life answers at all, ready or not; null while it has not said where it listens. */
export async function isAnswering(state: string, pid: number, signal: AbortSignal): Promise<boolean | null> {
  const address = addressOf(state, pid);
  if (address === null) return null;
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    await (await fetch(new URL('/healthz', address), { signal: bound })).arrayBuffer();
    return true;
  } catch {
    return signal.aborted ? null : false;
  }
}

/** Null while what is written is of another life. */
function addressOf(state: string, pid: number | null): string | null {
  const written = readControllerFile(state);
  return written !== null && written.pid === pid ? written.address : null;
}

/** Null: it is ready. */
async function unreadyReason(address: string, signal: AbortSignal): Promise<string | null> {
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const response = await fetch(new URL('/readyz', address), { signal: bound });
    if (response.ok) return null;
    const [reason] = Unready.safeParse(await response.json()).data?.reasons ?? [];
    return reason ?? 'the controller is not ready yet';
  } catch {
    signal.throwIfAborted();
    return 'the controller does not answer yet';
  }
}

/** The status once every deployment serves or can't; or what it is when the patience ends. */
export async function everythingServes(options: WaitOptions): Promise<Status> {
  const { state, clock, progress, signal } = options;
  const until = clock.now() + SERVING_WITHIN_MS;
  for (;;) {
    const now = await status({ state, signal });
    const waits = waitsOf(now);
    if (waits.length === 0 || clock.now() >= until) return now;
    progress(`waiting: ${waits.slice(0, 3).join(', ')}${waits.length > 3 ? ', …' : ''}`);
    await clock.sleep(LOOK_MS, signal);
  }
}

function waitsOf({ environments }: Status): string[] {
  return environments.flatMap(({ name, address, deployments }) => {
    const wanted = deployments.filter(({ version }) => version !== null);
    if (wanted.length > 0 && address === null) return [`the runtime of ${name} starts`];
    return wanted.flatMap(({ model, backends }) => {
      const hasSettled = backends.some(({ state }) => state === 'ready' || state === 'failed');
      return hasSettled ? [] : [`${name}/${model} loads`];
    });
  });
}
