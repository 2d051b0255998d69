import { join } from 'node:path';
import { type EnvironmentName, ServingSnapshot } from '@switchback-ml/schemas';
import { messageOf } from '../../error.ts';
import type { Log } from '../../log.ts';
import { readState, removeState, writeState } from './state-file.ts';

const SNAPSHOT_LIMIT_BYTES = 64 * 2 ** 20;

/** The published snapshots on the disk, so that a restarted controller answers long polls at once. */
export class PublishedFiles {
  readonly #directory: string;
  readonly #log: Log;
  /** Per environment the last write, after which the next one comes. */
  readonly #writing = new Map<EnvironmentName, Promise<void>>();

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  read(environment: EnvironmentName): ServingSnapshot | null {
    const snapshot = readState(this.#file(environment), ServingSnapshot, SNAPSHOT_LIMIT_BYTES);
    return snapshot?.environment === environment ? snapshot : null;
  }

  /** In the order of the calls. Never throws: traffic has moved already, and must move with a full disk too. */
  keep(environment: EnvironmentName, snapshot: ServingSnapshot | null): Promise<void> {
    const before = this.#writing.get(environment) ?? Promise.resolve();
    const written = before.then(() => this.#write(environment, snapshot));
    this.#writing.set(environment, written);
    return written;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async #write(environment: EnvironmentName, snapshot: ServingSnapshot | null): Promise<void> {
    const file = this.#file(environment);
    try {
      if (snapshot === null) await removeState(file);
      else await writeState(file, snapshot);
    } catch (error) {
      const fields = { environment, file, reason: messageOf(error) };
      this.#log.warn(fields, 'published snapshot could not be kept on disk');
      // An older one must not come back after a restart: better none, until the first cycle publishes again.
      await removeState(file).catch(() => {});
    }
  }

  #file(environment: EnvironmentName): string {
    return join(this.#directory, environment, 'published.json');
  }
}
