import type { Engine } from '../engine/engine.ts';

/** One running and one staged: the engine never waits for us, and later requests can still share a batch. */
const MOST_BATCHES = 2;

/** An engine at work. */
export interface Post {
  readonly seat: number;
  readonly engine: Engine;
  batches: number;
  rows: number;
  /** By the clock's `elapsed`. */
  lastAnswerAt: number;
  /** It failed a batch by going, which its supervisor is about to hear as well. */
  isGone: boolean;
}

/** The engines of one revision that take batches, each in a seat of its own. */
export class Crew {
  #posts: Post[] = [];

  get size(): number {
    return this.#posts.length;
  }

  /** The one that was in this seat gets no more batches; those aboard of it are still answered. */
  attach(seat: number, engine: Engine): void {
    this.detach(seat);
    this.#posts.push({ seat, engine, batches: 0, rows: 0, lastAnswerAt: 0, isGone: false });
  }

  detach(seat: number): void {
    this.#posts = this.#posts.filter(post => post.seat !== seat);
  }

  /** Whoever has the fewest rows aboard, among those who may take another batch. */
  least(): Post | null {
    let least: Post | null = null;
    for (const post of this.#posts)
      if (post.batches < MOST_BATCHES && !post.isGone && (least === null || post.rows < least.rows))
        least = post;
    return least;
  }

  /** Engines with nothing aboard. */
  countIdle(): number {
    let idle = 0;
    for (const { batches, isGone } of this.#posts) if (batches === 0 && !isGone) idle++;
    return idle;
  }
}
