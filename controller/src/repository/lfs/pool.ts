/** So many at once and no more; the others wait in the order in which they came. */
export interface Pool {
  run<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value>;
}

export function pool(places: number): Pool {
  const waiting: (() => void)[] = [];
  let taken = 0;

  async function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (taken < places) {
      taken++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      const at = waiting.indexOf(resolve);
      // It was just given a place: the work itself sees the signal.
      if (at === -1) return;
      waiting.splice(at, 1);
      reject(signal.reason);
    };
    waiting.push(resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The place goes to the next one without being free in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next();
  }

  return {
    run: async (work, signal) => {
      await take(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/** All of them, side by side. The first failure stops the others, and is thrown when every one has ended. */
export async function forAll<Item>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const first: { error?: unknown; isThere: boolean } = { isThere: false };
  await Promise.all(
    items.map(async item => {
      try {
        await work(item, until);
      } catch (error) {
        if (!first.isThere) Object.assign(first, { error, isThere: true });
        stop.abort(error);
      }
    }),
  );
  if (first.isThere) throw first.error;
}
