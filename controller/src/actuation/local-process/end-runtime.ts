import type { Clock } from '../../clock.ts';
import { LOOK_AT_START_MS, Patience } from './patience.ts';
import { ownPortOf, type ProcessIdentity } from './process-record.ts';
import type { RuntimeDoor } from './runtime-door.ts';
import type { RuntimeLife } from './runtime-life.ts';
import type { RuntimeLog } from './runtime-log.ts';
import { endProcess, identityOf, killProcess } from './system-process.ts';
import type { WrittenRecord } from './written-record.ts';

/** How long a runtime may take over the requests that it has accepted, once it was asked to stop. */
const GRACE_MS = 10_000;

export interface RuntimeEnd {
  /** The pid of what is gone now; null: there was nothing. Leaves it alone once the controller itself is closing. */
  end(life: RuntimeLife | null): Promise<number | null>;
  /** Without grace. */
  kill(identity: ProcessIdentity): Promise<void>;
}

export interface RuntimeEndOptions {
  record: WrittenRecord;
  door: RuntimeDoor;
  log: RuntimeLog;
  clock: Clock;
  /** Aborts when the controller closes. */
  closing: AbortSignal;
  /** Whether its grace is to be cut short. */
  isHurried: () => boolean;
}

export function runtimeEnd({ record, door, log, clock, closing, isHurried }: RuntimeEndOptions): RuntimeEnd {
  return { end, kill };

  async function end(life: RuntimeLife | null): Promise<number | null> {
    const identity = await known(life);
    if (identity === null) return null;
    const isGone = await endProcess(identity, { graceMs: GRACE_MS, clock, isCut });
    if (!isGone && !closing.aborted) await kill(identity);
    return identity.pid;
  }

  async function kill(identity: ProcessIdentity): Promise<void> {
    if (!(await killProcess(identity, clock))) log.notKilled(identity.pid);
  }

  /** Asks where nobody could write down who was spawned; that one may yet have to begin to listen. */
  async function known(life: RuntimeLife | null): Promise<ProcessIdentity | null> {
    const { latest, process } = record;
    if (latest === null || process === null) return null;
    if (process.identity !== null) return process.identity;
    const patience = new Patience(clock);
    while (life?.exit == null) {
      const word = await door.word(ownPortOf(latest), closing);
      if (word !== null) return identityOf(word.pid);
      if (isCut() || patience.isOver(false)) return null;
      await clock.sleep(LOOK_AT_START_MS, closing);
    }
    return null;
  }

  function isCut(): boolean {
    return closing.aborted || isHurried();
  }
}
