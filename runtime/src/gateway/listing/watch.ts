import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { asSwitchbackError, SwitchbackError } from '../../error.ts';
import type { Log } from '../../log.ts';
import { type Entry, type Listing, parseListing } from './parse.ts';

/** Where one runtime is, and what it runs. */
export interface Place {
  environment: string;
  host: string;
  port: number;
}

export interface Places {
  places: readonly Place[];
  hosts: ReadonlyMap<string, string>;
}

export interface WatchOptions {
  file: string;
  /** Every address of a host. */
  lookup: (name: string) => Promise<readonly string[]>;
  clock: Clock;
  log: Log;
  onChange: (places: Places) => void;
  /** The file, or a name in it, could not be used; what was known before is kept. */
  onTrouble: () => void;
}

const LOOK_MS = 1000;
/** Every so many looks names are resolved again. */
const RESOLVE_EVERY = 5;
const LOOKUP_WITHIN_MS = 3000;
const LARGEST_BYTES = 2 ** 20;

export interface Watch {
  /** Looks again and again until the signal aborts. Never rejects. */
  follow(signal: AbortSignal): Promise<void>;
}

/**
 * Reads the list of runtimes, and reads it again: a file that is looked at is noticed however it was replaced, a
 * mounted ConfigMap by its links among them. Rejects with E_CONFIG where the first reading gives no list.
 */
export async function watchListing(options: WatchOptions): Promise<Watch> {
  const watcher = new Watcher(options);
  await watcher.begin();
  return watcher;
}

class Watcher implements Watch {
  readonly #options: WatchOptions;
  readonly #resolved = new Map<string, readonly string[]>();
  #text = '';
  #listing: Listing = { entries: [], hosts: new Map() };
  #published = '';
  #looks = 0;
  #isTold = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#text = await readBounded(this.#options.file);
    this.#listing = parseListing(this.#text);
    await this.#resolve();
    this.#publish();
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    this.#looks++;
    const hasChanged = await this.#read();
    if (hasChanged || this.#looks % RESOLVE_EVERY === 0) await this.#resolve();
    this.#publish();
  }

  async #read(): Promise<boolean> {
    try {
      const text = await readBounded(this.#options.file);
      if (text === this.#text) return false;
      this.#listing = parseListing(text);
      this.#text = text;
      this.#isTold = false;
      return true;
    } catch (error) {
      this.#options.onTrouble();
      const { code, message } = asSwitchbackError(error);
      if (!this.#isTold)
        this.#options.log.error(
          { code, reason: message },
          'list of runtimes can not be used, the last one is kept',
        );
      this.#isTold = true;
      return false;
    }
  }

  async #resolve(): Promise<void> {
    const names = new Set(
      this.#listing.entries.flatMap(entry => (entry.kind === 'name' ? [entry.name] : [])),
    );
    for (const name of this.#resolved.keys()) if (!names.has(name)) this.#resolved.delete(name);
    await Promise.all([...names].map(name => this.#resolveOne(name)));
  }

  async #resolveOne(name: string): Promise<void> {
    const { lookup, clock, log, onTrouble } = this.#options;
    const ended = new AbortController();
    const late = clock.sleep(LOOKUP_WITHIN_MS, ended.signal).then(() => null);
    const addresses = await Promise.race([lookup(name).catch(() => null), late]);
    ended.abort();
    if (addresses !== null && addresses.length > 0) return void this.#resolved.set(name, addresses);
    onTrouble();
    log.warn({ name }, 'name of runtimes could not be resolved, its last addresses are kept');
  }

  #publish(): void {
    const { entries, hosts } = this.#listing;
    const places = entries.flatMap(entry => this.#placesOf(entry));
    const text = JSON.stringify([places, [...hosts]]);
    if (text === this.#published) return;
    this.#published = text;
    this.#options.onChange({ places, hosts });
  }

  #placesOf(entry: Entry): Place[] {
    const { environment, port } = entry;
    if (entry.kind === 'one') return [{ environment, host: entry.host, port }];
    const addresses = this.#resolved.get(entry.name) ?? [];
    return addresses.toSorted().map(host => ({ environment, host, port }));
  }
}

async function readBounded(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= LARGEST_BYTES) return await readFile(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const message = `The list of runtimes ${file} can not be read (${why}): name a JSON file that this process may read.`;
    throw new SwitchbackError('E_CONFIG', message, { cause });
  }
  throw new SwitchbackError('E_CONFIG', `The list of runtimes is larger than ${LARGEST_BYTES} bytes.`);
}
