import { SwitchbackError } from '../../error.ts';

/** One run a key at a time, never two; who asks meanwhile waits for the same one. */
export interface SharedWork<Value> {
  /** Rejects at once when `signal` aborts; the work itself goes on while anybody waits for it. */
  run(key: string, work: (signal: AbortSignal) => Promise<Value>, signal: AbortSignal): Promise<Value>;
  /** Aborts everything and resolves when it has ended. */
  close(): Promise<void>;
}

interface Flight<Value> {
  result: Promise<Value>;
  controller: AbortController;
  waiting: number;
}

export function sharedWork<Value>(closedMessage: string): SharedWork<Value> {
  const flights = new Map<string, Flight<Value>>();
  /** Also those that nobody waits for any more, until they have ended: the next of the key begins after them. */
  const running = new Map<string, Promise<unknown>>();
  const closing = new AbortController();

  function start(key: string, work: (signal: AbortSignal) => Promise<Value>): Flight<Value> {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, closing.signal]);
    const before = running.get(key);
    const result = (before === undefined ? work(signal) : before.then(() => work(signal))).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
      if (running.get(key) === settled) running.delete(key);
    });
    const settled = result.catch(() => {});
    running.set(key, settled);
    const flight = { result, controller, waiting: 0 };
    flights.set(key, flight);
    return flight;
  }

  function leave(key: string, flight: Flight<Value>, reason: unknown): void {
    flight.waiting--;
    if (flight.waiting > 0) return;
    // Forgotten before it has ended, so that nobody joins work that is being given up.
    if (flights.get(key) === flight) flights.delete(key);
    flight.controller.abort(reason);
  }

  return {
    run: async (key, work, signal) => {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const flight = flights.get(key) ?? start(key, work);
      flight.waiting++;
      try {
        return await untilAborted(flight.result, signal);
      } finally {
        leave(key, flight, signal.reason);
      }
    },
    close: async () => {
      closing.abort(new SwitchbackError('E_LFS_UNREACHABLE', closedMessage));
      await Promise.all(running.values());
    },
  };
}

function untilAborted<Value>(result: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  return promise;
}
