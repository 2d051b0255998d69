import type { Socket } from 'node:net';
import type { Caller } from '../../batching/work.ts';
import { SwitchbackError } from '../../error.ts';
import type { Message } from '../../inference/call.ts';
import type { authenticate } from '../access.ts';
import { type HttpAnswer, refusal } from '../answering.ts';
import { decodeBody } from '../body.ts';
import type { DoorOptions } from '../door.ts';
import type { Target } from '../protocol/http.ts';
import type { Head } from './head.ts';
import { Held } from './held.ts';
import { HeadMemo } from './memo.ts';
import type { PrintAnswer } from './print.ts';

export interface ConnectionOptions extends DoorOptions {
  /** Takes the connection from here on; what came and is not answered is given back to the socket before. */
  handOver: (socket: Socket) => void;
  authenticate: typeof authenticate;
  print: PrintAnswer;
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
  #admitted: Head['headers'] | null = null;

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
    // A request of which a part has come is answered before.
    if (this.#waiting === 'request' || this.#waiting === 'reader') this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    // After the last answer nothing is heard any more but that the other side goes.
    if (this.#socket.writableEnded) return;
    this.#held.push(chunk);
    if (this.#isBusy || this.#waiting === 'reader') this.#socket.pause();
    else this.#next();
  };

  /** Who says no more is taken for gone, as Node's parser does: half-closed waiting is not told from hanging up. */
  readonly #onEnd = (): void => {
    if (this.#isBusy) this.#socket.destroy();
    else this.#socket.end();
  };

  readonly #onDrain = (): void => {
    if (this.#waiting !== 'reader' || this.#socket.writableEnded) return;
    this.#become('request');
    this.#next();
    this.#readOn();
  };

  /** Takes requests that are there whole, until one has to be waited for. */
  #next(): void {
    while (this.#takeOne());
  }

  /** Whether one was answered at once, so that the next may be looked at. */
  #takeOne(): boolean {
    if (this.#socket.writableEnded) return false;
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
    return this.#serve(target, read.head, bytes.subarray(headBytes, end));
  }

  #await(bytes: number): false {
    this.#held.await(bytes);
    return this.#become('rest');
  }

  #serve(target: Target, head: Head, body: Buffer): boolean {
    const refused = this.#admit(head);
    const answer = refused === null ? this.#answer(target, head, body) : refusal(target, refused);
    if (!(answer instanceof Promise)) return this.#reply(answer);
    this.#isBusy = true;
    this.#become('answer');
    // Never rejects.
    void answer.then(settled => {
      this.#isBusy = false;
      if (this.isGone) return;
      if (this.#reply(settled)) this.#next();
      this.#readOn();
    });
    return false;
  }

  /** What waited in the socket, unless somebody is to be waited for first. */
  #readOn(): void {
    const isFree = !this.#isBusy && this.#waiting !== 'reader';
    // Of one that ends, so as to hear when the other side goes.
    if ((isFree || this.#socket.writableEnded) && this.#socket.isPaused()) this.#socket.resume();
  }

  #answer(target: Target, head: Head, body: Buffer): HttpAnswer | Promise<HttpAnswer> {
    const encoding = head.headers.get('content-encoding');
    if (encoding !== undefined) return this.#answerEncoded(target, head, body, encoding);
    return this.#options.answer(target, new LaneMessage(head, body), this);
  }

  async #answerEncoded(target: Target, head: Head, body: Buffer, encoding: string): Promise<HttpAnswer> {
    const { answer, limits } = this.#options;
    const decoded = await decodeBody(body, encoding, limits.bodyBytes).catch((error: unknown) => error);
    if (decoded instanceof SwitchbackError) return refusal(target, decoded);
    return answer(target, new LaneMessage(head, decoded as Buffer), this);
  }

  /** Whether another request may be looked at after it. */
  #reply(answer: HttpAnswer): boolean {
    this.#send(answer);
    if (this.#isEnding) {
      this.#socket.end();
      return this.#become('reader');
    }
    return this.#socket.writableNeedDrain ? this.#become('reader') : true;
  }

  /** The same head again, held against the same keys, need not be looked at again. */
  #admit(head: Head): SwitchbackError | null {
    const keys = this.#options.keys();
    if (this.#admitted === head.headers && this.#admittedBy === keys) return null;
    try {
      this.#options.authenticate(head.headers.get('authorization'), keys);
    } catch (error) {
      return error as SwitchbackError;
    }
    this.#admitted = head.headers;
    this.#admittedBy = keys;
    return null;
  }

  #send(answer: HttpAnswer): void {
    const isLast = this.#isEnding || this.#options.isDraining();
    if (isLast) this.#isEnding = true;
    const { text, isAscii, body } = this.#options.print(answer, isLast);
    if (body === null) return void this.#socket.write(text, isAscii ? 'latin1' : 'utf8');
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** To whoever knows all of HTTP, with everything that was not taken. */
  #leave(): false {
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain).off('error', ignore);
    socket.unshift(this.#held.release());
    this.#options.handOver(socket);
    return false;
  }

  #become(waiting: Waiting): false {
    if (waiting === this.#waiting && waiting === 'rest') return false;
    this.#waiting = waiting;
    this.#since = this.#options.elapsed();
    return false;
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
