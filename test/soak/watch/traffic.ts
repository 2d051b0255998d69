import { type Answer, replay } from '../../../bench/replay/replay.ts';
import { judge } from '../../../demo/observer/answers.ts';
import type { Service } from '../../../demo/observer/observer.ts';
import type { Excuse, Failure } from '../judge/failures.ts';
import { addLatency, type Latencies } from './latency.ts';

/** Answers of one version in one stretch of time; latencies of those that came by 200. */
export interface Cell {
  environment: string;
  model: string;
  version: string | null;
  /** From the start; by when the request was sent. */
  fromMs: number;
  answers: number;
  /** Answered by 200, with `null` where a number belongs. */
  nulls: number;
  byStatus: Map<number, number>;
  latencies: Latencies;
}

/** A process that was sent SIGKILL may still have answered what it had read already. */
const LAST_WORDS_MS = 50;
/** Beyond this something is wrong everywhere, and more of the same says no more. */
const MOST_FAILURES = 50_000;

/** Sends the recorded rows at their rates and counts what comes back, from its start until it is stopped. */
export class Traffic implements AsyncDisposable {
  readonly startedAt: number;
  /** How long a stretch of time is that answers are counted in. */
  readonly stretchMs: number;
  readonly failures: Failure[] = [];
  readonly excuses: Excuse[] = [];
  requests = 0;
  failed = 0;
  readonly #cells = new Map<string, Cell>();
  readonly #newest = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #cut: AbortSignal;
  readonly #work: Promise<void>[];

  /** What is still under way when the signal aborts is not counted: everything may be ending with it. */
  constructor(
    services: readonly Service[],
    { stretchMs, signal }: { stretchMs: number; signal: AbortSignal },
  ) {
    this.startedAt = Date.now();
    this.stretchMs = stretchMs;
    this.#cut = signal;
    const until = AbortSignal.any([this.#stop.signal, signal]);
    this.#work = services.map(service =>
      replay(service, answer => this.#add(service.environment, answer), until),
    );
  }

  get cells(): Cell[] {
    return [...this.#cells.values()];
  }

  /** Who answered there last by 200. */
  newest(environment: string, model: string): string | null {
    return this.#newest.get(`${environment}/${model}`) ?? null;
  }

  /** What goes wrong there from now on, until the next good answer, is this deed's own. */
  excuse(kind: Excuse['kind'], environment: string, models: readonly string[]): Excuse[] {
    const fromMs = Date.now();
    const opened = models.map(model => ({ kind, environment, model, fromMs, untilMs: null }));
    this.excuses.push(...opened);
    return opened;
  }

  /** Once the last answer has come. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  #add(environment: string, answer: Answer): void {
    if (this.#cut.aborted) return;
    const { model, version, status, failure, sentAt, atMs, isNull, tookMs } = judge(environment, answer);
    const stretch = Math.floor((sentAt - this.startedAt) / this.stretchMs);
    const cell = this.#cell(environment, model, version, stretch * this.stretchMs);
    this.requests += 1;
    cell.answers += 1;
    cell.byStatus.set(status, (cell.byStatus.get(status) ?? 0) + 1);
    if (isNull) cell.nulls += 1;
    if (status === 200) {
      addLatency(cell.latencies, tookMs);
      if (version !== null) this.#newest.set(`${environment}/${model}`, version);
      this.#closeExcuses(environment, model, sentAt, atMs);
      return;
    }
    this.failed += 1;
    if (this.failures.length < MOST_FAILURES)
      this.failures.push({ environment, model, version, status, failure: failure ?? null, sentAt, atMs });
  }

  #cell(environment: string, model: string, version: string | null, fromMs: number): Cell {
    const key = `${environment} ${model} ${version} ${fromMs}`;
    const known = this.#cells.get(key);
    if (known) return known;
    const byStatus = new Map<number, number>();
    const fresh = {
      environment,
      model,
      version,
      fromMs,
      answers: 0,
      nulls: 0,
      byStatus,
      latencies: new Map(),
    };
    this.#cells.set(key, fresh);
    return fresh;
  }

  #closeExcuses(environment: string, model: string, sentAt: number, atMs: number): void {
    for (const excuse of this.excuses)
      if (
        excuse.untilMs === null &&
        excuse.environment === environment &&
        excuse.model === model &&
        sentAt > excuse.fromMs + LAST_WORDS_MS
      )
        excuse.untilMs = atMs;
  }
}
