import type { KeptRuntimeOptions } from './options.ts';
import { type ProcessRecord, processFile, type RememberedProcess } from './process-record.ts';
import type { RuntimeLog } from './runtime-log.ts';
import { writeState } from './state-file.ts';

/** What is remembered of one runtime: here, and on the disk for the next life of the controller. */
export class WrittenRecord {
  readonly #file: string;
  readonly #log: RuntimeLog;
  #latest: ProcessRecord | null;

  constructor(options: KeptRuntimeOptions, log: RuntimeLog) {
    this.#file = processFile(options.directory, options);
    this.#log = log;
    this.#latest = options.remembered;
  }

  /** Null until it first had ports. */
  get latest(): ProcessRecord | null {
    return this.#latest;
  }

  /** Null: there is none. */
  get process(): RememberedProcess | null {
    return this.#latest?.process ?? null;
  }

  /** Serving goes before bookkeeping: with a full disk the runtime still runs. */
  async write(record: ProcessRecord): Promise<void> {
    this.#latest = record;
    try {
      await writeState(this.#file, record);
    } catch (error) {
      this.#log.notWritten(error);
    }
  }

  /** It is gone and shall come again: the next life, which finds it gone, would start it too. */
  lose(): void {
    if (this.#latest !== null) this.#latest = { ...this.#latest, process: null };
  }
}
