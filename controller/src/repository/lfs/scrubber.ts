import { readFile, rename, writeFile } from 'node:fs/promises';
import { ArtifactDigest, type Instant } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import type { Log } from '../../log.ts';

/** Takes as long as so many bytes may take. */
export type Pace = (bytes: number) => Promise<void>;

/** `spoilt`: it was set aside. */
export type Checked = 'sound' | 'spoilt' | 'gone';

export interface ScrubReport {
  objects: number;
  /** Those that were set aside. */
  spoilt: readonly ArtifactDigest[];
  /** Pinned ones that were not here, or not right, and could not be fetched. */
  missing: readonly ArtifactDigest[];
}

export interface ScrubberSettings {
  /** Where a pass is remembered, so that restarts neither repeat nor forget it. */
  file: string;
  everyMs: number;
  bytesPerSecond: number;
  /** In their order. */
  digests(): readonly ArtifactDigest[];
  /** Reads an object through. */
  check(digest: ArtifactDigest, pace: Pace, signal: AbortSignal): Promise<Checked>;
  /** Fetches what is pinned and not here; those that could not be had. */
  complete(signal: AbortSignal): Promise<readonly ArtifactDigest[]>;
  clock: Clock;
  log?: Pick<Log, 'info' | 'warn' | 'error'> | undefined;
}

const State = z.object({
  /** The last one that was read in a pass under way; null between passes. */
  after: ArtifactDigest.nullable(),
  finishedAt: z.number(),
});
type State = z.infer<typeof State>;

const REMEMBER_EVERY_MS = 30_000;
/** So that a clock that was set, or a machine that slept, is noticed. */
const LONGEST_SLEEP_MS = 60 * 60_000;

/** Reads every object again, slowly, one pass a day: bytes rot on disks without anybody asking for them. */
export class Scrubber implements AsyncDisposable {
  readonly #settings: ScrubberSettings;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #state: State | null = null;
  /** The last one that was begun, behind the first look at what is remembered. */
  #pass: Promise<unknown>;

  constructor(settings: ScrubberSettings) {
    this.#settings = settings;
    this.#pass = this.#recall();
    this.#loop = this.#run(this.#stop.signal);
  }

  /** When the last whole pass ended; null before the first is known. */
  get finishedAt(): Instant | null {
    return this.#state?.finishedAt ?? null;
  }

  /** A pass now, or the rest of the one under way. Never two at a time. */
  async scrub(signal: AbortSignal): Promise<ScrubReport> {
    const until = AbortSignal.any([signal, this.#stop.signal]);
    const before = this.#pass;
    const pass = before.then(() => this.#passOnce(until));
    this.#pass = pass.catch(() => {});
    return await pass;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#pass;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, log } = this.#settings;
    await this.#pass;
    while (!signal.aborted) {
      const { after, finishedAt } = await this.#recall();
      // A time that is still to come is a clock that was set back.
      const due = after !== null || finishedAt > clock.now() ? clock.now() : finishedAt + everyMs;
      const waitMs = Math.min(LONGEST_SLEEP_MS, due - clock.now());
      if (waitMs > 0) {
        await clock.sleep(waitMs, signal);
        continue;
      }
      try {
        await this.scrub(signal);
      } catch (error) {
        if (signal.aborted) return;
        log?.error({ reason: messageOf(error) }, 'the artifacts could not be read through, will try again');
        await clock.sleep(LONGEST_SLEEP_MS, signal);
      }
    }
  }

  async #passOnce(signal: AbortSignal): Promise<ScrubReport> {
    const { digests, check, complete, clock, log } = this.#settings;
    const { after } = await this.#recall();
    const pace = this.#pace(signal);
    const spoilt: ArtifactDigest[] = [];
    let objects = 0;
    let rememberedAt = clock.now();
    for (const digest of digests()) {
      if (after !== null && digest <= after) continue;
      const state = await check(digest, pace, signal);
      if (state !== 'gone') objects++;
      if (state === 'spoilt') spoilt.push(digest);
      if (clock.now() - rememberedAt < REMEMBER_EVERY_MS) continue;
      rememberedAt = clock.now();
      await this.#remember({ after: digest });
    }
    const missing = await complete(signal);
    await this.#remember({ after: null, finishedAt: clock.now() });
    log?.info({ objects, spoilt: spoilt.length, missing: missing.length }, 'read the artifacts through');
    return { objects, spoilt, missing };
  }

  #pace(signal: AbortSignal): Pace {
    const { clock, bytesPerSecond } = this.#settings;
    let owed = 0;
    return async bytes => {
      owed += bytes;
      // In portions of a second's worth: timers are too coarse for less.
      if (owed < bytesPerSecond) return signal.throwIfAborted();
      const portion = owed;
      owed = 0;
      await clock.sleep((portion / bytesPerSecond) * 1000, signal);
      signal.throwIfAborted();
    };
  }

  /** A store without a memory of it is new, and as good as just read. */
  async #recall(): Promise<State> {
    if (this.#state) return this.#state;
    const text = await readFile(this.#settings.file, 'utf8').catch(() => '');
    const state = State.safeParse(parseJson(text.slice(0, 1000)));
    if (state.success) this.#state = state.data;
    else await this.#remember({ after: null, finishedAt: this.#settings.clock.now() });
    return this.#state ?? { after: null, finishedAt: 0 };
  }

  async #remember(part: Partial<State>): Promise<void> {
    const { file, log } = this.#settings;
    this.#state = { after: null, finishedAt: 0, ...this.#state, ...part };
    try {
      await writeFile(`${file}.new`, JSON.stringify(this.#state));
      await rename(`${file}.new`, file);
    } catch (error) {
      // A full disk must not end the looking after it.
      log?.warn(
        { reason: messageOf(error) },
        'how far the artifacts were read through could not be remembered',
      );
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
