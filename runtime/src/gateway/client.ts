import type { Socket } from 'node:net';
import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../error.ts';
import type { Head } from '../front/lane/head.ts';
import { Held } from '../front/lane/held.ts';
import { HeadMemo } from '../front/lane/memo.ts';
import { printAnswer } from '../front/lane/print.ts';
import { LARGEST_BODY_BYTES } from '../front/limits.ts';
import { readTimeoutMs } from '../inference/deadline.ts';
import { type AnswerHead, printAnswerHead } from './answer-head.ts';
import { Exchange, type Recipient } from './exchange.ts';
import type { Fleet, Route } from './fleet/fleet.ts';
import type { Upstream } from './fleet/upstream.ts';
import { MOST_HELD_BYTES, SMALL_BYTES } from './limits.ts';
import { refuse } from './refuse.ts';
import { forwardedHead } from './request-head.ts';

export interface ClientOptions {
  fleet: Fleet;
  elapsed: () => number;
  /** Of all clients together: bytes of requests that are more than small. */
  held: { bytes: number };
  /** How long a client may keep us waiting for what, in milliseconds. */
  patienceMs: Patience;
  /** Takes the connection from here on; what came and is not answered is given back to the socket before. */
  handOver: (socket: Socket) => void;
}

/** What the connection waits for, which decides how long it may. */
type Waits = 'request' | 'rest' | 'answer' | 'reader';
export type Patience = Record<Exclude<Waits, 'answer'>, number>;

/**
 * One client's connection as long as all that comes by it is plain inference. Each request goes to a runtime of its
 * own choice, one at a time; what else comes meanwhile waits in the socket.
 */
export class Client implements Recipient {
  preferred: Upstream | null = null;
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  readonly #heads = new HeadMemo();
  readonly #held = new Held();
  readonly #peer: string;
  #exchange: Exchange | null = null;
  #isEnding = false;
  #waits: Waits = 'request';
  #since: number;
  #route: Route | null = null;
  #head: Head | null = null;
  #body: Buffer | null = null;
  /** The head for a runtime, which stays the same as long as head and route do. */
  #printed: { head: Head; route: Route; bytes: Buffer } | null = null;
  #reserved = 0;

  constructor(socket: Socket, options: ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#since = options.elapsed();
    this.#peer = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
    socket.setNoDelay(true);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', ignore).on('close', this.#onClose);
  }

  /** No more requests after the one that comes next, or is being answered. */
  drain(): void {
    this.#isEnding = true;
  }

  /** Gives it up unless it waits for an answer. */
  endIdle(): void {
    if (this.#waits === 'request') this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }

  sweep(now: number): void {
    if (this.#waits === 'answer') this.#exchange?.expire(now);
    else if (now - this.#since > this.#options.patienceMs[this.#waits]) this.cut();
  }

  print(timeoutMs: number | null): { head: Buffer; body: Buffer | null } {
    const head = this.#headBytes(timeoutMs);
    const body = this.#body!;
    if (body.length > SMALL_BYTES) return { head, body };
    const whole = Buffer.allocUnsafe(head.length + body.length);
    head.copy(whole);
    body.copy(whole, head.length);
    return { head: whole, body: null };
  }

  begin(head: AnswerHead, bytes: Buffer, isWhole: boolean): boolean {
    const socket = this.#socket;
    if (head.isOurs && !this.#isEnding) socket.write(bytes);
    else {
      socket.cork();
      socket.write(printAnswerHead(head, this.#isEnding));
      if (bytes.length > head.headBytes) socket.write(bytes.subarray(head.headBytes));
      socket.uncork();
    }
    return this.#written(isWhole);
  }

  more(bytes: Buffer, isWhole: boolean): boolean {
    this.#socket.write(bytes);
    return this.#written(isWhole);
  }

  refuse(error: SwitchbackError): void {
    const { text, isAscii, body } = printAnswer(refuse(this.#route!.target, error), this.#isEnding);
    this.#socket.write(text, isAscii ? 'latin1' : 'utf8');
    if (body !== null) this.#socket.write(body);
    this.#written(true);
  }

  breakOff(): void {
    this.cut();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held.push(chunk);
    if (this.#waits === 'request' || this.#waits === 'rest') this.#next();
    else this.#socket.pause();
  };

  /** Who says no more is taken for gone, as Node's parser does. */
  readonly #onEnd = (): void => {
    if (this.#waits === 'answer') this.cut();
    else this.#socket.end();
  };

  readonly #onDrain = (): void => {
    if (this.#waits !== 'reader') return;
    if (this.#exchange === null) return this.#turn();
    this.#become('answer');
    this.#exchange.resume();
  };

  readonly #onClose = (): void => {
    this.#exchange?.cancel();
    this.#free();
  };

  /** Takes the next request if it is there whole. */
  #next(): void {
    const bytes = this.#held.peek();
    if (bytes === null) return this.#become(this.#held.isEmpty ? 'request' : 'rest');
    const read = this.#heads.read(bytes);
    if (read.kind === 'more') return this.#await(bytes.length + 1);
    if (read.kind === 'other') return this.#leave();
    const { head } = read;
    const route = this.#options.fleet.route(head.url, head.headers.get('host'));
    if (route?.target == null || head.bodyBytes > LARGEST_BODY_BYTES) return this.#leave();
    const end = head.headBytes + head.bodyBytes;
    if (!this.#reserve(end)) return this.#leave();
    if (bytes.length < end) return this.#await(end);
    this.#held.take(end);
    this.#send(head, route, bytes.subarray(head.headBytes, end));
  }

  #send(head: Head, route: Route, body: Buffer): void {
    this.#head = head;
    this.#route = route;
    this.#body = body;
    this.#become('answer');
    const timeoutMs = readTimeoutMs(head.headers.get(TIMEOUT_HEADER));
    this.#exchange = new Exchange(this, route, timeoutMs, this.#options.elapsed);
    this.#exchange.start();
  }

  /** Whether more may be written now. */
  #written(isWhole: boolean): boolean {
    const isFull = this.#socket.writableNeedDrain;
    if (isFull) this.#become('reader');
    if (!isWhole) return !isFull;
    this.#exchange = null;
    this.#free();
    if (this.#isEnding) this.#socket.end();
    else if (!isFull) this.#turn();
    return !isFull;
  }

  /** To the next request, which may be there already. */
  #turn(): void {
    this.#become('request');
    this.#next();
    if (this.#waits !== 'answer' && this.#socket.isPaused()) this.#socket.resume();
  }

  #headBytes(timeoutMs: number | null): Buffer {
    const head = this.#head!;
    const route = this.#route!;
    if (timeoutMs !== null) return forwardedHead(head, route.path, this.#peer, timeoutMs);
    if (this.#printed?.head === head && this.#printed.route === route) return this.#printed.bytes;
    const bytes = forwardedHead(head, route.path, this.#peer, null);
    this.#printed = { head, route, bytes };
    return bytes;
  }

  #await(bytes: number): void {
    this.#held.await(bytes);
    if (this.#waits !== 'rest') this.#become('rest');
  }

  /** False: all clients together hold too much. */
  #reserve(bytes: number): boolean {
    const { held } = this.#options;
    if (bytes <= SMALL_BYTES || this.#reserved > 0) return true;
    if (held.bytes + bytes > MOST_HELD_BYTES) return false;
    held.bytes += bytes;
    this.#reserved = bytes;
    return true;
  }

  #free(): void {
    this.#options.held.bytes -= this.#reserved;
    this.#reserved = 0;
    this.#body = null;
  }

  /** To whoever knows all of HTTP, with everything that was not taken. */
  #leave(): void {
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    socket.off('error', ignore).off('close', this.#onClose);
    this.#free();
    socket.unshift(this.#held.release());
    this.#options.handOver(socket);
  }

  #become(waits: Waits): void {
    this.#waits = waits;
    this.#since = this.#options.elapsed();
  }
}

/** A connection that breaks is closed; nobody is left to tell. */
function ignore(): void {}
