import { type EnvironmentName, type ServingSnapshot, SNAPSHOT_PATH } from '@switchback-ml/schemas';
import { backOffMs } from '../back-off.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../error.ts';
import type { Log } from '../log.ts';
import { LARGEST_SNAPSHOT_BYTES, parseSnapshot } from './file.ts';
import type { Nudge } from './nudge.ts';

/** How long the controller may hold a question open. */
const WAIT_SECONDS = 25;
/** Over the wait: for the way there and back. */
const GRACE_MS = 10_000;
/** An honest "unchanged" takes the wait; a much quicker one, again and again, would be a busy loop. */
const SOONEST_UNCHANGED_MS = 1000;

export interface Poll {
  /** Base URL, without a trailing slash. */
  controller: string;
  environment: EnvironmentName;
  token: string;
  /** What is held already. */
  generation: string | null;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Nudged whenever the controller has shown that it is there: then nobody rests from asking it. */
  nudge: Pick<Nudge, 'signal'>;
  /** Called with each new snapshot, one at a time; the next question waits for it. */
  onSnapshot: (snapshot: ServingSnapshot) => Promise<void>;
  /** Told why the newest snapshot can't be had or used, in a clause for anybody; null once it can. */
  onTrouble: (trouble: string | null) => void;
}

type Answer =
  | { kind: 'snapshot'; snapshot: ServingSnapshot }
  | { kind: 'unchanged' }
  /** `reason` may name addresses, which are for the log alone. */
  | { kind: 'failed'; trouble: string; reason: string };

/** Asks the controller for the newest snapshot, for ever; resolves when `signal` aborts. Never rejects. */
export async function pollSnapshots(poll: Poll, signal: AbortSignal): Promise<void> {
  const { clock, log } = poll;
  let generation = poll.generation;
  let failures = 0;

  while (!signal.aborted) {
    const asked = clock.elapsed();
    const answer = await askAndTake(poll, generation, signal);
    if (signal.aborted) return;

    if (answer.kind === 'failed') {
      const { trouble, reason } = answer;
      if (failures === 0)
        log.warn({ trouble, reason }, 'no snapshot from the controller, keeping the last good one');
      poll.onTrouble(trouble);
      const rested = AbortSignal.any([signal, poll.nudge.signal()]);
      await clock.sleep(backOffMs(failures++, poll.random()), rested);
      continue;
    }
    if (failures > 0) log.info({ failures }, 'controller answers again');
    failures = 0;
    poll.onTrouble(null);
    const isNew = answer.kind === 'snapshot' && answer.snapshot.generation !== generation;
    if (isNew) generation = answer.snapshot.generation;
    const tooSoonMs = SOONEST_UNCHANGED_MS - (clock.elapsed() - asked);
    if (!isNew && tooSoonMs > 0) await clock.sleep(tooSoonMs, signal);
  }
}

/** A snapshot that can't be taken counts as not had: it is asked for again. */
async function askAndTake(poll: Poll, generation: string | null, signal: AbortSignal): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await ask(poll, generation, signal);
  } catch (error) {
    return { kind: 'failed', trouble: 'the controller does not answer', reason: reasonOf(error) };
  }
  if (signal.aborted || answer.kind !== 'snapshot' || answer.snapshot.generation === generation)
    return answer;
  try {
    await poll.onSnapshot(answer.snapshot);
    return answer;
  } catch (error) {
    return { kind: 'failed', trouble: 'the newest snapshot can not be taken', reason: messageOf(error) };
  }
}

async function ask(poll: Poll, generation: string | null, signal: AbortSignal): Promise<Answer> {
  const path = SNAPSHOT_PATH.replace(':environment', poll.environment);
  const headers: Record<string, string> = { authorization: `Bearer ${poll.token}` };
  if (generation !== null) headers['if-none-match'] = `"${generation}"`;
  const response = await fetch(`${poll.controller}${path}?wait=${WAIT_SECONDS}`, {
    headers,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_SECONDS * 1000 + GRACE_MS)]),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    return response.status === 304
      ? { kind: 'unchanged' }
      : refused(`the controller answers ${response.status}`);
  }
  const text = await readText(response);
  const snapshot = text === null ? null : parseSnapshot(text);
  if (snapshot === null) return refused('the newest snapshot is not one that this runtime understands');
  if (snapshot.environment !== poll.environment)
    return refused(`the newest snapshot is of environment ${snapshot.environment}`);
  return { kind: 'snapshot', snapshot };
}

function refused(trouble: string): Answer {
  return { kind: 'failed', trouble, reason: trouble };
}

/** Null when it is larger than any snapshot may be. */
async function readText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_SNAPSHOT_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(cause);
}
