import type { InstanceId } from '@switchback-ml/schemas';
import { type Leaving, otherController } from './leaving.ts';
import type { KeptRuntimeOptions } from './options.ts';
import { LOOK_AT_START_MS } from './patience.ts';
import { ownPortOf, type RememberedProcess } from './process-record.ts';
import type { RuntimeDoor } from './runtime-door.ts';
import type { RuntimeLife } from './runtime-life.ts';
import { identityOf, isAlive } from './system-process.ts';
import type { WrittenRecord } from './written-record.ts';

/** Who is not ready by then has a reason that waiting does not mend, and serves what it can. */
const SERVES_WITHIN_MS = 60_000;

export type Finding =
  /** Nothing has to be done: it answered, may yet answer, or was not looked at to the end. */
  | { kind: 'as-before' }
  /** It said for the first time who it is. */
  | { kind: 'introduced'; instanceId: InstanceId; pid: number }
  /** It is sound, and shall go: without a successor, or for one. */
  | { kind: 'surplus' | 'useless'; why: string }
  | { kind: 'gone'; how: string }
  /** It was silent for so long that it won't answer any more. */
  | { kind: 'hung' };

const AS_BEFORE: Finding = { kind: 'as-before' };

export interface RuntimeLookOptions {
  options: KeptRuntimeOptions;
  record: WrittenRecord;
  door: RuntimeDoor;
  leaving: Leaving;
}

/**
 * Looks once at the process of a runtime, of which there is one. One that does not say who it is may be anything, and
 * is not introduced. `wake` cuts the look short.
 */
export type RuntimeLook = (
  life: RuntimeLife,
  process: RememberedProcess,
  wake: AbortSignal,
) => Promise<Finding>;

export function runtimeLook({ options, record, door, leaving }: RuntimeLookOptions): RuntimeLook {
  const { clock, controllerUrl, siblings } = options;

  return async (life, process, wake) => {
    if (await isGone(life, process)) return { kind: 'gone', how: await howItEnded(life, wake) };
    if (!life.isConfirmed) return (await introduction(process, wake)) ?? silence(life, process, wake);
    const due = leaving.due(process);
    if (due !== null) return { kind: due.kind === 'surplus' ? 'surplus' : 'useless', why: due.why };
    if (!(await isAnswering(life, wake))) return silence(life, process, wake);
    life.patience.heard();
    return AS_BEFORE;
  };

  async function isGone({ exit }: RuntimeLife, { identity }: RememberedProcess): Promise<boolean> {
    return exit !== null || (identity !== null && !(await isAlive(identity)));
  }

  /** The system may know before we are told how it ended; whose child it is not, that is never told. */
  async function howItEnded(life: RuntimeLife, wake: AbortSignal): Promise<string> {
    if (life.exit === null) await clock.sleep(LOOK_AT_START_MS, wake);
    return life.exit ?? 'it is gone; nobody saw how it ended';
  }

  /** Null: nobody answers, or not this environment's runtime, or not the very one that we remember. */
  async function introduction(process: RememberedProcess, wake: AbortSignal): Promise<Finding | null> {
    const word = await door.word(ownPort(), wake);
    if (word === null) return null;
    const { instanceId } = word;
    if (process.instanceId !== null && process.instanceId !== instanceId) return null;

    const identity = process.identity ?? (await identityOf(word.pid));
    if (identity === null) return null;
    await record.write({ ...record.latest!, process: { ...process, identity, instanceId } });
    const isOurs = process.controllerUrl === controllerUrl;
    if (isOurs || siblings().length > 0) return { kind: 'introduced', instanceId, pid: identity.pid };
    return { kind: 'useless', why: otherController(process.controllerUrl) };
  }

  /** Also learns whether it serves; that it did once is enough, since the others only wait for the beginning. */
  async function isAnswering(life: RuntimeLife, wake: AbortSignal): Promise<boolean> {
    if (life.isServing) return door.isAnswering(ownPort(), wake);
    const isReady = await door.isReady(ownPort(), wake);
    if (!isReady && !(await door.isAnswering(ownPort(), wake))) return false;
    life.isServing = isReady || clock.now() - life.since >= SERVES_WITHIN_MS;
    return true;
  }

  /** Who is woken may have heard nothing for that reason alone. */
  function silence(life: RuntimeLife, process: RememberedProcess, wake: AbortSignal): Finding {
    if (wake.aborted) return AS_BEFORE;
    return life.patience.isOver(life.isLoading(process)) ? { kind: 'hung' } : AS_BEFORE;
  }

  function ownPort(): number {
    return ownPortOf(record.latest!);
  }
}
