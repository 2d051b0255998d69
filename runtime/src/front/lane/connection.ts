import type { Socket } from 'node:net';
import type { Caller } from '../../batching/work.ts';
import { SwitchbackError } from '../../error.ts';
import type { Message } from '../../inference/call.ts';
import { authenticate } from '../access.ts';
import { type HttpAnswer, refusal } from '../answering.ts';
import { decodeBody } from '../body.ts';
import type { DoorOptions } from '../door.ts';
import type { Target } from '../protocol/http.ts';
import type { Head } from './head.ts';
import { Held } from './held.ts';
import { HeadMemo } from './memo.ts';
import { printAnswer } from './print.ts';

export interface ConnectionOptions extends DoorOptions {
  /** Takes the connection from here on; what came and is not answered is given back to the socket before. */
  handOver: (socket: Socket) => void;
  elapsed: () => number;
}

/** What the connection waits for, which decides how long it may. */
export type Waiting = 'request' | 'rest' | 'answer' | 'reader';

/**
 * One client's connection as long as all that comes by it is plain inference. One request at a time is answered; what
 * else comes meanwhile waits in the socket.
 */
export class Connection implements Caller {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #heads = new HeadMemo();
  readonly #held = new Held();
  #isBusy = false;
  #isEnding = false;
  #waiting: Waiting = 'request';
  #since: number;
  /** The keys that the last head's authorization was held against. */
  #admittedBy: readonly string[] | null = null;
  #admitted: Head | null = null;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#since = options.elapsed();
    socket.setNoDelay(true);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain).on('error', ignore);
  }

  /** Whether nobody reads the answer any more. */
  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  get waiting(): Waiting {
    return this.#waiting;
  }

  /** When it began to wait for what it waits for. */
  get since(): number {
    return this.#since;
  }

  /** No more requests after the one that is being answered. */
  drain(): void {
    this.#isEnding = true;
    if (!this.#isBusy) this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held.push(chunk);
    if (this.#isBusy) this.#socket.pause();
    else this.#next();
  };

  /** Who says no more is taken for gone, as Node's parser does: half-closed waiting is not told from hanging up. */
  readonly #onEnd = (): void => {
    if (this.#isBusy) this.#socket.destroy();
    else this.#socket.end();
  };

  readonly #onDrain = (): void => {
    if (this.#waiting !== 'reader') return;
    this.#become('request');
    this.#next();
  };

  /** Takes the next request if it is there whole. */
  #next(): void {
    const bytes = this.#held.peek();
    if (bytes === null) return this.#become(this.#held.isEmpty ? 'request' : 'rest');
    const read = this.#heads.read(bytes);
    if (read.kind === 'more') return this.#await(bytes.length + 1);
    const target = read.kind === 'head' ? this.#options.find(read.head.url) : null;
    if (read.kind === 'other' || target === null || read.head.bodyBytes > this.#options.limits.bodyBytes)
      return this.#leave();
    const { headBytes, bodyBytes } = read.head;
    const end = headBytes + bodyBytes;
    if (bytes.length < end) return this.#await(end);
    this.#held.take(end);
    this.#isBusy = true;
    this.#become('answer');
    void this.#serve(target, read.head, bytes.subarray(headBytes, end));
  }

  #await(bytes: number): void {
    this.#held.await(bytes);
    this.#become('rest');
  }

  /** Never rejects. */
  async #serve(target: Target, head: Head, body: Buffer): Promise<void> {
    const refused = this.#admit(head);
    const answer = refused === null ? await this.#answer(target, head, body) : refusal(target, refused);
    this.#isBusy = false;
    if (this.isGone) return;
    this.#send(answer);
    if (this.#isEnding) return void this.#socket.end();
    if (this.#socket.writableNeedDrain) return this.#become('reader');
    this.#next();
    if (!this.#isBusy && this.#socket.isPaused()) this.#socket.resume();
  }

  async #answer(target: Target, head: Head, body: Buffer): Promise<HttpAnswer> {
    const { answer, limits } = this.#options;
    const encoding = head.headers.get('content-encoding');
    if (encoding === undefined) return answer(target, new LaneMessage(head, body), this);
    const decoded = await decodeBody(body, encoding, limits.bodyBytes).catch((error: unknown) => error);
    if (decoded instanceof SwitchbackError) return refusal(target, decoded);
    return answer(target, new LaneMessage(head, decoded as Buffer), this);
  }

  /** The same head again, held against the same keys, need not be looked at again. */
  #admit(head: Head): SwitchbackError | null {
    const keys = this.#options.keys();
    if (this.#admitted === head && this.#admittedBy === keys) return null;
    try {
      authenticate(head.headers.get('authorization'), keys);
    } catch (error) {
      return error as SwitchbackError;
    }
    this.#admitted = head;
    this.#admittedBy = keys;
    return null;
  }

  #send(answer: HttpAnswer): void {
    const isLast = this.#isEnding || this.#options.isDraining();
    if (isLast) this.#isEnding = true;
    const { text, isAscii, body } = printAnswer(answer, isLast);
    if (body === null) return void this.#socket.write(text, isAscii ? 'latin1' : 'utf8');
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** To whoever knows all of HTTP, with everything that was not taken. */
  #leave(): void {
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain).off('error', ignore);
    socket.unshift(this.#held.release());
    this.#options.handOver(socket);
  }

  #become(waiting: Waiting): void {
    if (waiting === this.#waiting && waiting === 'rest') return;
    this.#waiting = waiting;
    this.#since = this.#options.elapsed();
  }
}

class LaneMessage implements Message {
  readonly body: Buffer;
  readonly #head: Head;

  constructor(head: Head, body: Buffer) {
    this.#head = head;
    this.body = body;
  }

  header(name: string): string | undefined {
    return this.#head.headers.get(name);
  }
}

/** A connection that breaks is closed; nobody is left to tell. */
function ignore(): void {}
