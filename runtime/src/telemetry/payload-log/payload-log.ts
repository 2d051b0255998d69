import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import type { Log } from '../../log.ts';
import { estimateBytes, type Payload, printPayload, type Redaction } from './entry.ts';
import { RotatingFiles, type Rotation } from './files.ts';

/** That wait to be written, roughly; what comes beyond is dropped. */
const MOST_WAITING_BYTES = 8 * 2 ** 20;
/** Larger ones are dropped: printing one must not hold up requests. */
const LARGEST_BYTES = 256 * 1024;
/** Printed in one turn of the event loop. */
const TURN_BYTES = 64 * 1024;
/** After a failure, before the next try; what comes meanwhile waits, within its bound. */
const REST_MS = 5000;
/** How long the last ones may take. */
const CLOSE_MS = 2000;

export interface PayloadLogOptions {
  /** In the state folder; made if it is not there. */
  folder: string;
  /** Of the requests that could be read, from 0 to 1. */
  share: number;
  redaction: Redaction;
  rotation: Rotation;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/** Keeps a sample of what was asked and answered. It never waits for the disk, and serving never waits for it. */
export interface PayloadLog extends AsyncDisposable {
  /** Whether this request is one of the sample: asked once for each. */
  picks(): boolean;
  /** Its tensors must not be written to any more. */
  offer(payload: Payload): void;
  /** Of the sample, those that could not be kept. */
  readonly dropped: number;
}

export async function openPayloadLog(options: PayloadLogOptions): Promise<PayloadLog> {
  const { share, random, clock, folder, rotation } = options;
  const writer = new Writer(options, await RotatingFiles.open(folder, rotation));
  const written = writer.run();
  return {
    picks: () => random() < share,
    offer: payload => writer.offer(payload),
    get dropped() {
      return writer.dropped;
    },
    async [Symbol.asyncDispose]() {
      const ended = new AbortController();
      writer.close();
      await Promise.race([written, clock.sleep(CLOSE_MS, ended.signal)]);
      writer.giveUp();
      ended.abort();
    },
  };
}

interface Waiting {
  payload: Payload;
  atMs: number;
  bytes: number;
}

class Writer {
  readonly #options: PayloadLogOptions;
  readonly #files: RotatingFiles;
  readonly #closing = new AbortController();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #wake: () => void = () => {};
  #isGivenUp = false;

  constructor(options: PayloadLogOptions, files: RotatingFiles) {
    this.#options = options;
    this.#files = files;
  }

  get dropped(): number {
    return this.#dropped;
  }

  offer(payload: Payload): void {
    const bytes = estimateBytes(payload);
    if (
      this.#closing.signal.aborted ||
      bytes > LARGEST_BYTES ||
      this.#waitingBytes + bytes > MOST_WAITING_BYTES
    ) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ payload, atMs: this.#options.clock.now(), bytes });
    this.#waitingBytes += bytes;
    this.#wake();
  }

  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  /** What is not written by now is dropped. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#wake();
  }

  /** Until it is closed and nothing waits. Never rejects. */
  async run(): Promise<void> {
    const { clock, log } = this.#options;
    let isFailing = false;
    while (!this.#isGivenUp) {
      const next = this.#take();
      if (next.length === 0) {
        if (this.#closing.signal.aborted) break;
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await this.#files.append(this.#print(next));
        isFailing = false;
      } catch (error) {
        this.#dropped += next.length;
        if (!isFailing) log.warn({ reason: messageOf(error) }, 'payloads could not be kept, trying again');
        isFailing = true;
        await clock.sleep(REST_MS, this.#closing.signal);
        if (this.#closing.signal.aborted) break;
      }
      // Requests that came meanwhile go first.
      await new Promise(resolve => setImmediate(resolve));
    }
    this.#dropped += this.#waiting.length;
    await this.#files[Symbol.asyncDispose]().catch(() => {});
  }

  #take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && bytes < TURN_BYTES) bytes += this.#waiting[count++]!.bytes;
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #print(entries: readonly Waiting[]): string {
    return entries.map(({ payload, atMs }) => printPayload(payload, atMs, this.#options.redaction)).join('');
  }
}
