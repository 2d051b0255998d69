import { Agent, type IncomingMessage, request } from 'node:http';
import { ANSWERED_BY } from '@switchback-ml/schemas';
import type { Dialect } from '../subject/subject.ts';

const SILENCE_MS = 10_000;

export interface AskerOptions {
  /** Between the beginnings of two requests. */
  everyMs: number;
}

/**
 * One caller with one kept connection, who asks at fixed times and notes when each version first answered. A request
 * that is due while another is under way is left out.
 */
export class Asker implements AsyncDisposable {
  readonly #dialect: Dialect;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #timer: NodeJS.Timeout;
  readonly #firstAt = new Map<string, number>();
  readonly #waiting = new Map<string, PromiseWithResolvers<number>>();
  #underWay: Promise<void> | null = null;
  #asked = 0;
  #failed = 0;

  constructor(dialect: Dialect, { everyMs }: AskerOptions) {
    this.#dialect = dialect;
    this.#timer = setInterval(() => this.#ask(), everyMs);
  }

  get asked(): number {
    return this.#asked;
  }

  /** Not answered with 200. */
  get failed(): number {
    return this.#failed;
  }

  /** When that version's first answer had come, by `performance.now()`. Rejects when the signal aborts before. */
  async first(version: string, signal: AbortSignal): Promise<number> {
    const known = this.#firstAt.get(version);
    if (known !== undefined) return known;
    const waiting = this.#waiting.get(version) ?? Promise.withResolvers<number>();
    this.#waiting.set(version, waiting);
    const abort = (): void => waiting.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#waiting.delete(version);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
    this.#agent.destroy();
  }

  #ask(): void {
    if (this.#underWay !== null) return;
    this.#underWay = this.#answer().then(answered => {
      this.#asked += 1;
      if (!answered) this.#failed += 1;
      this.#underWay = null;
    });
  }

  /** Whether it was answered; never rejects. */
  #answer(): Promise<boolean> {
    const { url, messages } = this.#dialect;
    const { headers, body } = messages[this.#asked % messages.length]!;
    return new Promise(resolve => {
      const asking = request(url, { method: 'POST', headers, agent: this.#agent, timeout: SILENCE_MS });
      const fail = (): void => resolve(false);
      asking.on('error', fail).on('timeout', () => asking.destroy());
      asking.on('response', response => {
        response.on('error', fail).on('close', fail).resume();
        response.on('end', () => {
          this.#note(response);
          resolve(response.statusCode === 200);
        });
      });
      asking.end(body);
    });
  }

  #note({ statusCode, headers }: IncomingMessage): void {
    const version = headers[ANSWERED_BY.version];
    if (statusCode !== 200 || typeof version !== 'string' || this.#firstAt.has(version)) return;
    const at = performance.now();
    this.#firstAt.set(version, at);
    this.#waiting.get(version)?.resolve(at);
  }
}
