import { followEvents, type SeenEvent } from '../../../demo/observer/event-watch.ts';
import { MODEL } from '../../e2e/model-folder.fixture.ts';

/** An event with what the API also tells of it. */
export interface ToldEvent extends SeenEvent {
  operation?: string;
  commit?: string;
}

/** The public event log as an observer has read it, across all lives of the controller. */
export class Chronicle implements AsyncDisposable {
  readonly events: ToldEvent[] = [];
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  readonly #watchers = new Set<() => void>();

  constructor(api: { address: string; token: string }) {
    this.#following = followEvents(api, event => this.#add(event), this.#stop.signal);
  }

  /** The first event, past or coming, that fits. Rejects after `withinMs`, naming what was waited for. */
  event(what: string, fits: (event: ToldEvent) => boolean, withinMs: number): Promise<ToldEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<ToldEvent>();
    const look = (): void => {
      const found = this.events.find(fits);
      if (found) resolve(found);
    };
    const timer = setTimeout(() => reject(new Error(`no ${what} within ${withinMs / 1000} s`)), withinMs);
    this.#watchers.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  #add(event: ToldEvent): void {
    this.events.push(event);
    for (const look of this.#watchers) look();
  }
}

/** Whether an event is of this type and tells of this version there. */
export const on =
  (environment: string, type: string, version?: string) =>
  (event: ToldEvent): boolean =>
    event.type === type &&
    event.subject === `${environment}/${MODEL}` &&
    (version === undefined || event.data['version'] === version);
