import type { Clock } from '../../clock.ts';
import { advance, type Breaker, mayCall } from '../breaker.ts';
import type { CachedReply } from '../cache.ts';
import type { RedisConnection } from './connection.ts';
import { type EntryName, type EntrySeal, entrySize } from './entry.ts';

/** Waiting or sent and not yet answered; what comes beyond is not written. */
const MOST_WRITES = 64;
const MOST_BYTES = 4 * 2 ** 20;
/** A write takes as much of this thread as several small requests do. */
const WRITES_A_TURN = 8;
const WRITE_MS = 1000;
/** Entries written in one moment expire over a tenth of their time. */
const JITTER = 0.1;

export interface WriterOptions {
  connection: RedisConnection;
  seal: EntrySeal;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  mostEntryBytes: number;
  /** Whether there is a connection that works. */
  isUsable: () => boolean;
  onFailure: (error: unknown) => void;
  /** What is read does well, and nothing is written any more, or it is again. */
  onTurn: (isWritten: boolean) => void;
}

interface Write {
  nameOf: () => EntryName;
  reply: CachedReply;
  until: number;
  sizeBytes: number;
}

/** Writes in later turns of the event loop, so that no answer waits for it, and gives up what it can't keep up with. */
export class RedisWriter {
  readonly #options: WriterOptions;
  readonly #pending: Write[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #bytes = 0;
  #breaker: Breaker = { kind: 'closed', faults: 0, trips: 0 };
  #turn: NodeJS.Immediate | null = null;
  #saidNotWritten = false;
  written = 0;
  notWritten = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get state(): Breaker['kind'] {
    return this.#breaker.kind;
  }

  /** Waiting or under way. */
  get writes(): number {
    return this.#pending.length + this.#underWay.size;
  }

  /** Nothing is worked out before the answer is on its way, the name neither. */
  offer(nameOf: () => EntryName, reply: CachedReply, until: number): void {
    const sizeBytes = entrySize(reply);
    const isWelcome =
      sizeBytes <= this.#options.mostEntryBytes &&
      this.#bytes + sizeBytes <= MOST_BYTES &&
      this.writes < MOST_WRITES &&
      mayCall(this.#breaker, this.#options.clock.elapsed()) !== 'rest' &&
      this.#options.isUsable();
    if (!isWelcome) {
      this.notWritten++;
      return;
    }
    this.#bytes += sizeBytes;
    this.#pending.push({ nameOf, reply, until, sizeBytes });
    this.#turn ??= setImmediate(() => this.#go());
  }

  /** What was not sent is forgotten. Resolves once nothing is under way, for which the connection must be closed. */
  async close(): Promise<void> {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.notWritten += this.#pending.splice(0).length;
    await Promise.all(this.#underWay);
  }

  #go(): void {
    this.#turn = null;
    for (const write of this.#pending.splice(0, WRITES_A_TURN)) {
      const ran: Promise<void> = this.#write(write).finally(() => {
        this.#bytes -= write.sizeBytes;
        this.#underWay.delete(ran);
      });
      this.#underWay.add(ran);
    }
    if (this.#pending.length > 0) this.#turn = setImmediate(() => this.#go());
  }

  /** Never rejects. */
  async #write({ nameOf, reply, until }: Write): Promise<void> {
    const { clock, random, connection, seal, isUsable, onFailure } = this.#options;
    const now = clock.elapsed();
    const forMs = Math.floor((until - now) * (1 - JITTER * random()));
    const may = mayCall(this.#breaker, now);
    if (may === 'rest' || forMs < 1 || !isUsable()) {
      this.notWritten++;
      return;
    }
    if (may === 'probe') this.#step('probe-began');
    const name = nameOf();
    try {
      await connection.write(
        name.name,
        seal.seal(name, { reply, goodUntil: clock.now() + forMs }),
        forMs,
        WRITE_MS,
      );
      this.written++;
      this.#step(may === 'probe' ? 'probe-succeeded' : 'succeeded');
    } catch (error) {
      this.notWritten++;
      onFailure(error);
      this.#step(may === 'probe' ? 'probe-failed' : 'failed');
    }
  }

  #step(event: Parameters<typeof advance>[1]): void {
    const { clock, random } = this.#options;
    this.#breaker = advance(this.#breaker, event, clock.elapsed(), random());
    this.#tell();
  }

  /** Once a change, however often it is tried in between; of a connection that is gone others tell. */
  #tell(): void {
    const { isUsable, onTurn } = this.#options;
    const { kind } = this.#breaker;
    const isNews = this.#saidNotWritten ? kind === 'closed' : kind === 'open' && isUsable();
    if (!isNews) return;
    this.#saidNotWritten = !this.#saidNotWritten;
    onTurn(!this.#saidNotWritten);
  }
}
