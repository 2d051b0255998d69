import { backOffMs } from '../../back-off.ts';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Span, SpanSink } from '../trace/trace.ts';
import { encodeMetrics } from './metrics.ts';
import { type Collector, type Posted, post } from './post.ts';
import { encodeSpans } from './spans.ts';
import { attributesOf } from './value.ts';

const MOST_WAITING = 8192;
const MOST_AT_ONCE = 512;
const TRACES_EVERY_MS = 5000;
const MOST_TRIES = 5;
/** However long a collector asks us to stay away. */
const LONGEST_REST_MS = 60_000;
/** For the last ones. */
const CLOSE_MS = 3000;

export interface OtlpOptions {
  collector: Collector;
  /** `service.name`, `service.instance.id` and the like. */
  resource: Readonly<Record<string, string>>;
  version: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/** Sends spans to an OpenTelemetry collector, some at a time; what can't be sent in some tries is dropped. */
export function otlpSpans(options: OtlpOptions): SpanSink {
  const sender = new Sender(options);
  let waiting: Span[] = [];
  let dropped = 0;
  const sent = sender.every(TRACES_EVERY_MS, async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(batch.length);
      const posted = await sender.post(encodeSpans(batch, sender.resource, sender.scope));
      dropped += posted.kind === 'taken' ? posted.rejected : batch.length;
      if (posted.kind !== 'taken') break;
    }
  });
  return {
    offer(span) {
      if (sender.isClosing || waiting.length >= MOST_WAITING) dropped++;
      else waiting.push(span);
    },
    get dropped() {
      return dropped;
    },
    async [Symbol.asyncDispose]() {
      await sender.close(sent);
      dropped += waiting.length;
      waiting = [];
    },
  };
}

/** Sends what a scrape would get; what can't be sent is not missed, since the next holds it too. */
export function otlpMetrics(options: OtlpOptions & { metrics: Metrics; everyMs: number }): AsyncDisposable {
  const { metrics, everyMs, clock } = options;
  const startMs = clock.now();
  const sender = new Sender({ ...options });
  const sent = sender.every(everyMs, async () => {
    const span = { startMs, nowMs: clock.now() };
    const body = encodeMetrics(await metrics.collect(), sender.resource, sender.scope, span);
    await sender.post(body);
  });
  return { [Symbol.asyncDispose]: () => sender.close(sent) };
}

/** Does something at intervals until it is closed, and once more then. */
class Sender {
  readonly resource: object;
  readonly scope: object;
  readonly #options: OtlpOptions;
  readonly #closing = new AbortController();
  readonly #ended = new AbortController();
  #isFailing = false;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.resource = { attributes: attributesOf(options.resource) };
    this.scope = { name: 'switchback', version: options.version };
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves once it is closed. Never rejects, as long as `work` doesn't. */
  async every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!this.isClosing) {
      await this.#options.clock.sleep(ms, this.#closing.signal);
      await work();
    }
  }

  /** Tries again as long as the collector is only busy. */
  async post(body: object): Promise<Posted> {
    const { collector, clock, random } = this.#options;
    for (let tries = 1; ; tries++) {
      const posted = await post(collector, body, this.#ended.signal);
      this.#tell(posted);
      if (posted.kind !== 'busy' || tries >= MOST_TRIES || this.isClosing) return posted;
      const restMs = Math.max(posted.afterMs ?? 0, backOffMs(tries - 1, random()));
      await clock.sleep(Math.min(restMs, LONGEST_REST_MS), this.#closing.signal);
    }
  }

  /** Waits for what is under way, within a bound. */
  async close(sent: Promise<void>): Promise<void> {
    this.#closing.abort();
    const done = new AbortController();
    const bound = this.#options.clock.sleep(CLOSE_MS, done.signal).then(() => this.#ended.abort());
    await sent;
    done.abort();
    await bound;
  }

  #tell(posted: Posted): void {
    const isFailing = posted.kind !== 'taken';
    if (isFailing && !this.#isFailing)
      this.#options.log.warn({ reason: posted.reason }, 'telemetry could not be sent');
    this.#isFailing = isFailing;
  }
}
