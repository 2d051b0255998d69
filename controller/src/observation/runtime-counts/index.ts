import type { Clock } from '../../clock.ts';
import { askRuntime, type Fetch } from '../ask-runtime.ts';
import { HeardWords } from '../heard-words.ts';
import type { Observation, RuntimeAddress } from '../observation.ts';

/** A hung instance is asked anew after so long; it delays nobody but itself. */
const ANSWER_BOUND_MS = 1000;

export interface RuntimeCountsOptions {
  /** Asked at every interval; the token goes to whoever is named, so name only runtimes that are known to live. */
  addresses: () => readonly RuntimeAddress[];
  token: string;
  intervalMs?: number;
  clock: Clock;
  fetch?: Fetch;
}

interface Look {
  stop: AbortController;
  ended: Promise<void>;
}

/** Asks every runtime for its own counts, each in a loop of its own. */
export function runtimeCounts(options: RuntimeCountsOptions): Observation {
  const { addresses, token, intervalMs = 200, clock, fetch = globalThis.fetch } = options;
  const words = new HeardWords(clock);
  const looks = new Map<string, Look>();
  const closing = new AbortController();
  const following = follow();

  return {
    latest: () => words.latest(),
    onChange: listener => words.onChange(listener),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      words.close();
      await following;
    },
  };

  /** Keeps one loop for every address there is, and none for those gone. */
  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      const wanted = new Map(addresses().map(each => [`${each.environment} ${each.address}`, each]));
      for (const [key, look] of looks) if (!wanted.has(key)) look.stop.abort();
      for (const [key, each] of wanted) if (!looks.has(key)) begin(key, each);
      await clock.sleep(intervalMs, closing.signal);
    }
    for (const { stop } of looks.values()) stop.abort();
    await Promise.all([...looks.values()].map(({ ended }) => ended));
  }

  function begin(key: string, address: RuntimeAddress): void {
    const stop = new AbortController();
    const ended = look(address, stop.signal).finally(() => looks.delete(key));
    looks.set(key, { stop, ended });
  }

  async function look({ environment, address }: RuntimeAddress, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const word = await askRuntime({ address, boundMs: ANSWER_BOUND_MS, clock, fetch, signal }, token);
      // Another environment's runtime may have taken the port meanwhile: its counts are not ours to file.
      if (!signal.aborted && word.kind === 'word' && word.observation.environment === environment)
        words.hear(environment, word.observation);
      await clock.sleep(intervalMs, signal);
    }
  }
}
