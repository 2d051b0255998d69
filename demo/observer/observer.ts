import { type ReplayTarget, replay } from '../../bench/replay/replay.ts';
import { Answers, judge } from './answers.ts';
import { followEvents, type SeenEvent } from './event-watch.ts';
import type { GitWatch, SeenCommit } from './git-watch.ts';

export interface Service extends ReplayTarget {
  environment: string;
}

/**
 * Somebody outside: sends requests, reads answers, follows the public event log and fetches into a clone of their
 * own. Knows nothing that a user could not know.
 */
export class Observer {
  readonly answers = new Answers();
  readonly events: SeenEvent[] = [];
  readonly commits: SeenCommit[] = [];
  readonly git: GitWatch;
  readonly #stop = new AbortController();
  readonly #work: Promise<unknown>[] = [];
  readonly #watchers = new Set<() => void>();
  #failure: Error | null = null;

  constructor(git: GitWatch, services: readonly Service[], api: { address: string; token: string }) {
    this.git = git;
    const { signal } = this.#stop;
    for (const service of services) {
      const onAnswer = (answer: Parameters<typeof judge>[1]): void =>
        this.answers.add(judge(service.environment, answer));
      this.#work.push(replay(service, onAnswer, signal));
    }
    this.#work.push(followEvents(api, event => this.#saw(() => this.events.push(event)), signal));
    this.#work.push(this.#followGit());
  }

  /** The first event, past or coming, that fits. */
  event(what: string, fits: (event: SeenEvent) => boolean, withinMs: number): Promise<SeenEvent> {
    return this.#first(what, () => this.events.find(fits), withinMs);
  }

  /** The first commit, past or coming, that fits. */
  commit(what: string, fits: (commit: SeenCommit) => boolean, withinMs: number): Promise<SeenCommit> {
    return this.#first(what, () => this.commits.find(fits), withinMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
    if (this.#failure) throw this.#failure;
  }

  #saw(take: () => void): void {
    take();
    for (const look of this.#watchers) look();
  }

  #first<Found>(what: string, find: () => Found | undefined, withinMs: number): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !this.#failure) return;
        finish();
        if (found === undefined) reject(this.#failure);
        else resolve(found);
      };
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${withinMs / 1000} s in vain for ${what}`));
      }, withinMs);
      timer.unref();
      this.#watchers.add(look);
      look();
    });
  }

  /** A remote that can't be reached is looked at again; a rewritten history ends the story. */
  async #followGit(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const news = await this.git.news();
        if (news.length > 0) this.#saw(() => this.commits.push(...news));
      } catch (error) {
        if (String(error).includes('non-fast-forward')) this.#failure = new Error('history was rewritten');
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}
