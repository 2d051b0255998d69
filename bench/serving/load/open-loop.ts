import { Histogram } from './histogram.ts';

/** One connection that carries one request at a time. */
export interface Line {
  send: (request: number) => void;
}

export interface OpenLoopOptions {
  perSecond: number;
  forMs: number;
  /** Of the windows in which what happened is told. */
  windowMs: number;
  /** Opens another connection; null once there are as many as there may be. */
  open: () => Line | null;
}

/** What became of requests that were to start within one window. */
export interface Window {
  answered: Histogram;
  /** Neither answered nor turned away. */
  failed: number;
}

/**
 * Requests that start by a schedule, whatever became of those before, and latencies from the start that was intended:
 * a server that stalls is charged with everything that should have been asked meanwhile. Times are in milliseconds of
 * whichever clock calls; latencies are recorded in microseconds. It holds no timer and no socket.
 */
export class OpenLoop {
  readonly answered = new Histogram();
  /** Turned away by 429 or 503. */
  readonly turnedAway = new Histogram();
  /** From the intended start to the real one: of the generator, not of the server, while there are free connections. */
  readonly lateness = new Histogram();
  readonly failures = new Map<string, number>();
  readonly windows: Window[] = [];
  readonly #options: OpenLoopOptions;
  readonly #startAt: number;
  #total: number;
  readonly #idle: Line[] = [];
  readonly #aboard = new Map<Line, number>();
  #next = 0;

  constructor(options: OpenLoopOptions, startAt: number) {
    this.#options = options;
    this.#startAt = startAt;
    this.#total = Math.floor((options.perSecond * options.forMs) / 1000);
  }

  get sent(): number {
    return this.#next;
  }

  get isDone(): boolean {
    return this.#next === this.#total && this.#aboard.size === 0;
  }

  /** When the next request is to start; infinite once all have. */
  get nextAt(): number {
    return this.#next < this.#total ? this.#intendedAt(this.#next) : Number.POSITIVE_INFINITY;
  }

  /** Starts whatever is due and finds a connection; what finds none starts as soon as one is free. */
  pump(now: number): void {
    while (this.nextAt <= now) {
      const line = this.#idle.pop() ?? this.#options.open();
      if (line === null) return;
      this.lateness.record((now - this.nextAt) * 1000);
      this.#aboard.set(line, this.#next);
      line.send(this.#next++);
    }
  }

  /** An answer has come whole. `isOpen`: whether the connection can carry another request. */
  answer(line: Line, status: number, isOpen: boolean, now: number): void {
    const request = this.#aboard.get(line);
    if (request === undefined) return;
    this.#settle(line, isOpen);
    const latencyUs = (now - this.#intendedAt(request)) * 1000;
    if (status >= 200 && status < 300) {
      this.answered.record(latencyUs);
      this.#windowOf(request).answered.record(latencyUs);
    } else if (status === 429 || status === 503) this.turnedAway.record(latencyUs);
    else this.#fail(request, `HTTP ${status}`);
  }

  /** The connection broke, or its request was given up. */
  breakOff(line: Line, why: string): void {
    const request = this.#aboard.get(line);
    this.#settle(line, false);
    if (request !== undefined) this.#fail(request, why);
  }

  /** Starts no more; what is aboard is waited for, and what is due by now and finds no connection has failed. */
  stop(now: number): void {
    this.pump(now);
    for (; this.nextAt <= now; this.#next++) this.#fail(this.#next, 'never sent');
    this.#total = this.#next;
  }

  /** Nothing more will come of what is aboard. */
  giveUp(): void {
    for (const line of [...this.#aboard.keys()]) this.breakOff(line, 'no answer in time');
    for (; this.#next < this.#total; this.#next++) this.#fail(this.#next, 'never sent');
  }

  #intendedAt(request: number): number {
    return this.#startAt + (request * 1000) / this.#options.perSecond;
  }

  #settle(line: Line, isOpen: boolean): void {
    this.#aboard.delete(line);
    if (isOpen) return void this.#idle.push(line);
    const at = this.#idle.indexOf(line);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #fail(request: number, why: string): void {
    this.failures.set(why, (this.failures.get(why) ?? 0) + 1);
    this.#windowOf(request).failed += 1;
  }

  #windowOf(request: number): Window {
    const index = Math.floor((request * 1000) / this.#options.perSecond / this.#options.windowMs);
    while (this.windows.length <= index) this.windows.push({ answered: new Histogram(), failed: 0 });
    return this.windows[index]!;
  }
}
