import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../clock.ts';
import type { ProcessIdentity } from './process-record.ts';

/** How often a process that is about to end is looked at. */
const LOOK_MS = 50;

/** A process that was killed is gone well before; one that is not hangs in the system itself. */
const KILLED_WITHIN_MS = 5000;

/** As the system reports it, in its own unit; null when no such process lives. Throws when it can't be told. */
export async function startTimeOf(pid: number, platform = process.platform): Promise<string | null> {
  return platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
}

export async function identityOf(pid: number): Promise<ProcessIdentity | null> {
  const startTime = await startTimeOf(pid);
  return startTime === null ? null : { pid, startTime };
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

/**
 * Asks it to end and gives it `graceMs`, which `isCut` may cut short; true once it is gone. The caller decides
 * what becomes of one that is not.
 */
export async function endProcess(
  identity: ProcessIdentity,
  { graceMs, clock, isCut }: { graceMs: number; clock: Clock; isCut: () => boolean },
): Promise<boolean> {
  await signalProcess(identity, 'SIGTERM');
  return isGoneWithin(identity, graceMs, clock, isCut);
}

/** Whether it is gone in the end. */
export async function killProcess(identity: ProcessIdentity, clock: Clock): Promise<boolean> {
  await signalProcess(identity, 'SIGKILL');
  return isGoneWithin(identity, KILLED_WITHIN_MS, clock);
}

/** Looks right before, so that a pid's next owner is never hit. */
async function signalProcess(identity: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

async function isGoneWithin(
  identity: ProcessIdentity,
  boundMs: number,
  clock: Clock,
  isCut = (): boolean => false,
): Promise<boolean> {
  const until = clock.now() + boundMs;
  while (await isAlive(identity)) {
    if (isCut() || clock.now() >= until) return false;
    await clock.sleep(LOOK_MS);
  }
  return true;
}

/**
 * Field 22 of `stat`, in ticks since the machine started. A zombie has ended, whoever has yet to hear of it, but
 * only once its other threads (field 20) have too: until then it holds its port.
 */
async function linuxStartTime(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold anything, also spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, startTime] = [fields[0], Number(fields[17]), fields[19]];
    const hasEnded = state === 'X' || (state === 'Z' && threads <= 1);
    return hasEnded ? null : (startTime ?? null);
  } catch (error) {
    if (isNoSuchProcess(error)) return null;
    throw error;
  }
}

async function psStartTime(pid: number): Promise<string | null> {
  try {
    const options = { timeout: 2000, maxBuffer: 4096, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options);
    const [state = 'Z', ...startTime] = stdout.trim().split(/\s+/);
    return state.startsWith('Z') ? null : startTime.join(' ');
  } catch (error) {
    // 1: it ran, and there is no such process.
    if ((error as { code?: unknown }).code === 1) return null;
    throw error;
  }
}

/** Anything else, such as no file handle left, says nothing of the process: taking it for dead would double it. */
function isNoSuchProcess(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOENT' || code === 'ESRCH';
}
