import { readdir } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/**
 * So far do engines stand behind the front and behind light work: with four busy engines on two cores, the median of a
 * light model beside them fell from 39 to 2 ms.
 */
const BEHIND_FRONT = 5;
/** Behind everything else: while it starts, an engine that nobody waits for takes what nobody wants. */
const LAST = 19;
const MOST_LOOKS = 10;

/** How engines of this machine give way. Where it does not allow that, they serve as they are. */
export interface Precedence {
  /** Of a process that was just made, and so of every thread that it will have. */
  giveWay(pid: number, isAwaited: boolean): void;
  /** From now on somebody waits for it. */
  catchUp(pid: number): Promise<void>;
}

export function findPrecedence(): Precedence {
  const working = Math.min(LAST, getPriority() + BEHIND_FRONT);
  const mayRaise = mayRaisePriority();
  return {
    giveWay: (pid, isAwaited) => set(pid, isAwaited || !mayRaise ? working : LAST),
    async catchUp(pid) {
      if (!mayRaise) return;
      // A priority is that of one thread; those that it made meanwhile have the one it had, and it may make more.
      const raised = new Set<string>();
      for (let looks = 0; looks < MOST_LOOKS; looks++) {
        const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
        const others = threads.filter(thread => !raised.has(thread));
        if (others.length === 0) return;
        for (const thread of others) {
          set(Number(thread), working);
          raised.add(thread);
        }
      }
    },
  };
}

/**
 * Whoever may only lower priorities must not lower one that it would have to raise. Tried rather than asked, since of
 * capabilities a container may have the name alone.
 */
function mayRaisePriority(): boolean {
  if (process.platform !== 'linux') return false;
  const own = getPriority();
  try {
    setPriority(own - 1);
  } catch {
    return false;
  }
  setPriority(own);
  return true;
}

function set(thread: number, niceness: number): void {
  try {
    setPriority(thread, niceness);
  } catch {
    // Gone already, or not permitted: neither is a reason not to serve.
  }
}
