import { hash } from 'node:crypto';
import type { CachePolicy } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { CacheReport, Forgotten, Found, MakeReply, ModelCounts, ReplyCache, ReplyKey } from './cache.ts';
import { RevisionReplies, type SecondLevel } from './revision-replies.ts';
import type { FarStore, NearStore } from './store.ts';
import { UNMEASURED } from './worth.ts';

export interface ReplyCacheOptions {
  clock: Clock;
  near: NearStore;
  /** Null: each runtime remembers for itself. */
  far: FarStore | null;
}

/** Remembers in this process and, where that pays, in a store that other runtimes share. Closes both stores. */
export function replyCache(options: ReplyCacheOptions): ReplyCache {
  return new TwoLevelCache(options);
}

interface Model {
  counts: ModelCounts;
  revisions: Map<string, RevisionReplies>;
}

class TwoLevelCache implements ReplyCache {
  readonly #clock: Clock;
  readonly #near: NearStore;
  readonly #second: SecondLevel | null;
  readonly #models = new Map<string, Model>();
  /** By models that have gone. */
  #forgotten: Forgotten = { tooLarge: 0, evicted: 0, expired: 0 };

  constructor({ clock, near, far }: ReplyCacheOptions) {
    this.#clock = clock;
    this.#near = near;
    this.#second = far === null ? null : { store: far, roundTripMs: UNMEASURED, beside: null };
  }

  through(key: ReplyKey, policy: CachePolicy, make: MakeReply): Found | Promise<Found | null> {
    // The one-shot hash writes no object; its letters stand for bytes, so that they are as short as it is.
    const name = key.encoding + hash('sha256', key.body, 'binary');
    return this.#repliesOf(key, policy).through(name, make);
  }

  drop(model: string, revision: string): void {
    const known = this.#models.get(model);
    const replies = known?.revisions.get(revision);
    if (known === undefined || replies === undefined) return;
    replies.close();
    known.revisions.delete(revision);
    if (known.revisions.size > 0) return;
    this.#models.delete(model);
    this.#forgotten = sum(this.#forgotten, known.counts);
  }

  describe(): CacheReport {
    const models = [...this.#models].map(([model, { counts, revisions }]) => {
      const reports = [...revisions.values()].map(replies => replies.describe());
      return { model, ...counts, revisions: reports };
    });
    const far = this.#second;
    const roundTripMs = far === null || far.roundTripMs.samples === 0 ? null : far.roundTripMs.value;
    return {
      ...this.#near.describe(),
      forgotten: models.reduce(sum, this.#forgotten),
      models,
      far: far && { ...far.store.describe(), roundTripMs },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#second?.store[Symbol.asyncDispose]();
    await this.#second?.beside;
    await this.#near[Symbol.asyncDispose]();
  }

  #repliesOf(key: ReplyKey, policy: CachePolicy): RevisionReplies {
    const replies = this.#models.get(key.model)?.revisions.get(key.revision);
    return replies !== undefined && replies.digest === key.digest ? replies : this.#open(key, policy);
  }

  #open(key: ReplyKey, policy: CachePolicy): RevisionReplies {
    const { model, revision, digest } = key;
    // A revision's name holds a part of the digest only: whatever stands under it belongs to other bytes.
    this.drop(model, revision);
    const known: Model = this.#models.get(model) ?? { counts: noCounts(), revisions: new Map() };
    this.#models.set(model, known);
    const opened = new RevisionReplies({
      label: { model, revision, digest },
      policy,
      clock: this.#clock,
      counts: known.counts,
      near: this.#near,
      second: this.#second,
    });
    known.revisions.set(revision, opened);
    return opened;
  }
}

function sum(all: Forgotten, { tooLarge, evicted, expired }: Forgotten): Forgotten {
  return {
    tooLarge: all.tooLarge + tooLarge,
    evicted: all.evicted + evicted,
    expired: all.expired + expired,
  };
}

function noCounts(): ModelCounts {
  return {
    memoryHits: 0,
    farHits: 0,
    shared: 0,
    misses: 0,
    notKept: 0,
    tooLarge: 0,
    evicted: 0,
    expired: 0,
  };
}
