import type { Clock } from '../../clock.ts';

const LOOK_EVERY_MS = 2000;
/** Half a minute with its deadlines: longer than its lease, so that it has long stopped deciding by itself. */
const MOST_SILENT_LOOKS = 8;

export interface ControllerWatchOptions {
  /** Of its present life; null between two. */
  pid: () => number | null;
  /** Whether that life answers, within a deadline of its own; null while it does not listen yet. */
  isAnswering: (pid: number, signal: AbortSignal) => Promise<boolean | null>;
  kill: (pid: number) => void;
  clock: Clock;
  /** Told in words, right before it is killed. */
  onHung: (how: string) => void;
}

/**
 * Ends a controller that lives and does not answer: stopped, or stuck in a loop. Whoever keeps it starts the next.
 * Looks are counted, not seconds, so that a machine that slept kills nobody when it wakes.
 */
export function watchController(options: ControllerWatchOptions): AsyncDisposable {
  const stop = new AbortController();
  const watching = watch(options, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}

async function watch(options: ControllerWatchOptions, signal: AbortSignal): Promise<void> {
  const { clock, kill, onHung } = options;
  let silent = { pid: 0, looks: 0 };
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const pid = options.pid();
    if (signal.aborted || pid === null) continue;
    const isAnswering = await options.isAnswering(pid, signal);
    if (isAnswering !== false || options.pid() !== pid) {
      silent = { pid, looks: 0 };
      continue;
    }
    silent = { pid, looks: silent.pid === pid ? silent.looks + 1 : 1 };
    if (silent.looks < MOST_SILENT_LOOKS || signal.aborted) continue;
    onHung(`it did not answer ${silent.looks} times in a row and is killed`);
    kill(pid);
    silent = { pid: 0, looks: 0 };
  }
}
