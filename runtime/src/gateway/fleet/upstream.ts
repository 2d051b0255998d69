import { connect, type Socket } from 'node:net';
import { type AnswerHead, readAnswerHead } from '../answer-head.ts';

/** Who sent a request by a connection, and hears what comes of it. */
export interface Asker {
  /** Head and as much of the body as is there; `isWhole`: the answer ends with these bytes. */
  onAnswer(head: AnswerHead, bytes: Buffer, isWhole: boolean): void;
  onMore(bytes: Buffer, isWhole: boolean): void;
  /** Nothing more will come. */
  onLost(why: Loss): void;
}

/**
 * refused: no connection was made. short: this machine has no room for another one. broken: it ended before the answer
 * did. absurd: what came is no answer. cut: we gave it up.
 */
export type Loss = 'refused' | 'short' | 'broken' | 'absurd' | 'cut';

export interface UpstreamOwner {
  /** The connection has nothing to do. */
  onIdle(upstream: Upstream): void;
  onClosed(upstream: Upstream): void;
}

/** Errors of ours: they tell nothing about the runtime. */
const SHORT = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** One connection to a runtime, which carries one request at a time. */
export class Upstream {
  readonly #socket: Socket;
  readonly #owner: UpstreamOwner;
  #asker: Asker | null = null;
  /** Of the head, as long as it is not whole. */
  #begun: Buffer | null = null;
  /** Of the body, still to come. */
  #left = 0;
  #isLast = false;
  #isConnected = false;
  #loss: Loss | null = null;
  /** When it began to be what it is: connecting, idle or busy. */
  #since: number;
  /** Whether it stands in its owner's list of those with nothing to do. */
  isListed = false;
  /** How many requests it was given. */
  uses = 0;

  constructor(place: { host: string; port: number }, owner: UpstreamOwner, now: number) {
    this.#owner = owner;
    this.#since = now;
    this.#socket = connect({ host: place.host, port: place.port, noDelay: true });
    this.#socket.on('connect', this.#onConnect).on('data', this.#onData);
    this.#socket.on('error', this.#onError).on('close', this.#onClose);
  }

  get isIdle(): boolean {
    return this.#asker === null && !this.#socket.destroyed && this.#loss === null;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get since(): number {
    return this.#since;
  }

  /** Only when it is idle. `body` null: it stands in `head`. */
  send(asker: Asker, head: Buffer, body: Buffer | null): void {
    this.#asker = asker;
    this.uses++;
    if (body === null) return void this.#socket.write(head);
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cut(loss: Loss): void {
    this.#loss ??= loss;
    this.#socket.destroy();
  }

  /** Nobody waits for its answer any more: the runtime learns of it by losing the connection. */
  abandon(): void {
    this.#asker = null;
    this.cut('cut');
  }

  rested(now: number): void {
    this.#since = now;
  }

  readonly #onConnect = (): void => {
    this.#isConnected = true;
  };

  readonly #onData = (chunk: Buffer): void => {
    // Bytes that nobody asked for could be taken for somebody's answer.
    if (this.#asker === null) return this.cut('absurd');
    if (this.#left > 0) return this.#take(chunk);
    const bytes = this.#begun === null ? chunk : Buffer.concat([this.#begun, chunk]);
    const head = readAnswerHead(bytes);
    if (head === 'broken') return this.cut('absurd');
    if (head === 'more') {
      this.#begun = bytes;
      return;
    }
    this.#begun = null;
    this.#isLast = head.isLast;
    const over = bytes.length - head.headBytes - head.bodyBytes;
    if (over > 0) return this.cut('absurd');
    this.#left = -over;
    const asker = this.#asker;
    if (this.#left === 0) this.#rest();
    asker.onAnswer(head, bytes, over === 0);
  };

  #take(chunk: Buffer): void {
    const asker = this.#asker!;
    this.#left -= chunk.length;
    if (this.#left < 0) return this.cut('absurd');
    const isWhole = this.#left === 0;
    if (isWhole) this.#rest();
    asker.onMore(chunk, isWhole);
  }

  #rest(): void {
    this.#asker = null;
    if (this.#isLast) this.cut('cut');
    else this.#owner.onIdle(this);
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#loss ??= SHORT.has(error.code ?? '') ? 'short' : this.#isConnected ? 'broken' : 'refused';
  };

  readonly #onClose = (): void => {
    const asker = this.#asker;
    this.#asker = null;
    this.#owner.onClosed(this);
    asker?.onLost(this.#loss ?? 'broken');
  };
}
