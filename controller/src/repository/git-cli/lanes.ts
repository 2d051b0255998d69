/** Does `act` after whoever came earlier into the same lane; a caller whose signal aborts leaves the line at once. */
export type InLane = <Result>(
  lane: string,
  signal: AbortSignal,
  act: () => Promise<Result>,
) => Promise<Result>;

/** Lines of callers, one for each name; those of different names never wait for each other. */
export function makeLanes(): InLane {
  const tails = new Map<string, Promise<void>>();

  return async (lane, signal, act) => {
    const before = tails.get(lane) ?? Promise.resolve();
    const done = Promise.withResolvers<void>();
    // One who left the line early must not let the next one past those before.
    const tail = before.then(() => done.promise);
    tails.set(lane, tail);
    let hadItsTurn = false;
    try {
      await unlessAborted(before, signal);
      hadItsTurn = true;
      return await act();
    } finally {
      done.resolve();
      if (hadItsTurn && tails.get(lane) === tail) tails.delete(lane);
    }
  };
}

async function unlessAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([waited, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
