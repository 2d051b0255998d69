import { printable } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Log } from '../../log.ts';
import { advance, type Breaker, type BreakerEvent, mayCall, UNTRIED } from '../breaker.ts';
import type { EntryFlaw, FarReport } from '../cache.ts';
import { ABSENT, type FarStore, type Lookup, type Shelf, type ShelfLabel } from '../store.ts';
import { RedisConnection } from './connection.ts';
import { type EntryName, type EntrySeal, entrySeal, printLabel } from './entry.ts';
import { RedisWriter } from './writer.ts';

const SHORTEST_SECRET = 16;
/** For a new connection and its first answer. No request waits for it. */
const PROBE_MS = 1000;

export interface RedisOptions {
  /** redis://, rediss:// or unix://, with user and password where it wants them. */
  url: string;
  /** Shared by all runtimes that share answers, 16 characters at least: whoever has it can write what they answer. */
  secret: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  /** The longest that a request waits for it; 5 where nothing else is said. */
  withinMs?: number;
  /** Larger entries are neither written nor read; 128 KiB where nothing else is said. */
  mostEntryBytes?: number;
}

/** Answers in a Redis that is neither trusted nor relied on. Connects when it is first asked. */
export function redisReplies(options: RedisOptions): FarStore {
  return new RedisReplies(options);
}

type Settings = Required<RedisOptions>;

class RedisReplies implements FarStore {
  readonly #options: Settings;
  readonly #seal: EntrySeal;
  readonly #connection: RedisConnection;
  readonly #writer: RedisWriter;
  #breaker: Breaker = UNTRIED;
  #probe: Promise<void> = Promise.resolve();
  #isClosed = false;
  #lastFailure: string | null = null;
  #told: 'shared' | 'alone' | null = null;
  readonly #counts = { found: 0, absent: 0, failed: 0, notAsked: 0 };
  readonly #refused: Record<EntryFlaw, number> = {
    malformed: 0,
    'too-large': 0,
    foreign: 0,
    forged: 0,
    expired: 0,
  };

  constructor(options: RedisOptions) {
    if (options.secret.length < SHORTEST_SECRET)
      throw new SwitchbackError(
        'E_CONFIG',
        `The secret for answers in Redis must have ${SHORTEST_SECRET} characters at least.`,
      );
    this.#options = { withinMs: 5, mostEntryBytes: 128 * 2 ** 10, ...options };
    this.#seal = entrySeal(options.secret);
    this.#connection = new RedisConnection({ url: options.url, onLost: () => this.#lose() });
    this.#writer = new RedisWriter({
      ...this.#options,
      connection: this.#connection,
      seal: this.#seal,
      isUsable: () => this.#breaker.kind === 'closed',
      onFailure: error => void this.#remember(error),
      onTurn: isWritten => this.#tellOfWriting(isWritten),
    });
  }

  shelf(label: ShelfLabel): Shelf {
    const printed = printLabel(label);
    return {
      find: name => this.#find(printed, name),
      keep: (name, reply, until) => this.#writer.offer(() => this.#seal.nameOf(printed, name), reply, until),
    };
  }

  describe(): FarReport {
    return {
      reading: this.#breaker.kind,
      writing: this.#writer.state,
      lastFailure: this.#lastFailure,
      ...this.#counts,
      written: this.#writer.written,
      writes: this.#writer.writes,
      notWritten: this.#writer.notWritten,
      refused: { ...this.#refused },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#connection.close();
    await this.#probe;
    await this.#writer.close();
  }

  #find(label: Buffer, name: string): Lookup | Promise<Lookup> {
    const may = this.#isClosed ? 'rest' : mayCall(this.#breaker, this.#options.clock.elapsed());
    if (may === 'call' && this.#connection.hasRoom) return this.#ask(this.#seal.nameOf(label, name));
    if (may === 'probe') this.#probe = this.#tryAgain();
    this.#counts.notAsked++;
    return NOT_ASKED;
  }

  async #ask(name: EntryName): Promise<Lookup> {
    const { withinMs, mostEntryBytes } = this.#options;
    let bytes: Buffer;
    try {
      bytes = await this.#connection.read(name.name, mostEntryBytes, withinMs);
    } catch (error) {
      return isOtherType(error) ? this.#refuse('malformed') : this.#fail(error);
    }
    this.#step('succeeded');
    if (bytes.byteLength === 0) {
      this.#counts.absent++;
      return ABSENT;
    }
    return bytes.byteLength > mostEntryBytes ? this.#refuse('too-large') : this.#open(name, bytes);
  }

  #open(name: EntryName, bytes: Buffer): Lookup {
    const { clock } = this.#options;
    const now = clock.now();
    const opened = this.#seal.open(name, bytes, now);
    if (typeof opened === 'string') return this.#refuse(opened);
    this.#counts.found++;
    return { kind: 'known', reply: opened.reply, until: clock.elapsed() + opened.goodUntil - now };
  }

  #refuse(flaw: EntryFlaw): Lookup {
    this.#refused[flaw]++;
    return { kind: 'refused', flaw };
  }

  #fail(error: unknown): Lookup {
    const reason = this.#remember(error);
    this.#counts.failed++;
    this.#step('failed');
    return { kind: 'failed', reason };
  }

  /** Beside all requests. Never rejects. */
  async #tryAgain(): Promise<void> {
    this.#step('probe-began');
    try {
      await this.#connection.open(PROBE_MS);
      this.#step('probe-succeeded');
      this.#tell('shared');
    } catch (error) {
      this.#remember(error);
      this.#connection.close();
      this.#step('probe-failed');
      this.#tell('alone');
    }
  }

  #lose(): void {
    this.#remember(new Error('the connection was lost'));
    this.#step('lost');
  }

  #step(event: BreakerEvent): void {
    const { clock, random } = this.#options;
    const before = this.#breaker;
    this.#breaker = advance(before, event, clock.elapsed(), random());
    if (before.kind === 'open' || this.#breaker.kind !== 'open' || this.#isClosed) return;
    // On this one nothing is waited for any more; the next try is made on a new one.
    this.#connection.close();
    this.#tell('alone');
  }

  /** One line a change, however often it is tried in between. */
  #tell(news: 'shared' | 'alone'): void {
    if (news === this.#told || this.#isClosed) return;
    this.#told = news;
    if (news === 'shared') this.#options.log.info({}, 'answers are shared through Redis');
    else this.#options.log.warn({ reason: this.#lastFailure }, 'answers are not shared: Redis is left alone');
  }

  #tellOfWriting(isWritten: boolean): void {
    if (this.#isClosed) return;
    const { log } = this.#options;
    if (isWritten) log.info({}, 'answers are written to Redis again');
    else log.warn({ reason: this.#lastFailure }, 'answers are read from Redis and not written to it');
  }

  #remember(error: unknown): string {
    this.#lastFailure = printable(messageOf(error)).slice(0, 200);
    return this.#lastFailure;
  }
}

const NOT_ASKED: Lookup = Object.freeze({ kind: 'failed', reason: 'it is left alone for now' });

/** Somebody else's value, not an answer of ours: says nothing about how Redis is. */
function isOtherType(error: unknown): boolean {
  return messageOf(error).startsWith('WRONGTYPE');
}
