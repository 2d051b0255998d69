import type { EnvironmentName, ServingSnapshot } from '@switchback-ml/schemas';

/** The newest snapshot per environment, and who waits for another one. */
export class PublishedSnapshots {
  readonly #latest = new Map<EnvironmentName, ServingSnapshot>();
  readonly #waiting = new Map<EnvironmentName, Set<() => void>>();
  #isClosed = false;

  /** False when this very generation stands there already. */
  publish(snapshot: ServingSnapshot): boolean {
    const { environment, generation } = snapshot;
    if (this.#latest.get(environment)?.generation === generation) return false;
    this.#latest.set(environment, snapshot);
    this.#wake(environment);
    return true;
  }

  withdraw(environment: EnvironmentName): void {
    this.#latest.delete(environment);
  }

  latest(): Map<EnvironmentName, ServingSnapshot> {
    return new Map(this.#latest);
  }

  /** The newest that is not `generation`; null once the signal aborts or all is closed. */
  async next(
    environment: EnvironmentName,
    generation: string | null,
    signal: AbortSignal,
  ): Promise<ServingSnapshot | null> {
    while (!signal.aborted && !this.#isClosed) {
      const latest = this.#latest.get(environment);
      if (latest !== undefined && latest.generation !== generation) return latest;
      await this.#published(environment, signal);
    }
    return null;
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true;
    for (const environment of this.#waiting.keys()) this.#wake(environment);
  }

  #published(environment: EnvironmentName, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(environment) ?? new Set();
    this.#waiting.set(environment, waiting);
    return new Promise(resolve => {
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wake(environment: EnvironmentName): void {
    for (const wake of [...(this.#waiting.get(environment) ?? [])]) wake();
  }
}
