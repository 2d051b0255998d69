import type { Backend } from '@switchback-ml/schemas';

export const PROTOCOLS = ['v2', 'v2-grpc', 'tf-serving', 'mlflow'] as const;

/** One request, once it is answered: all that measuring needs to know of it. */
export interface Served {
  model: string;
  /** As the caller named the request, in any text; null: it did not, or it was not read. */
  id: string | null;
  /** Of the snapshot that was served when it came; null: there was none yet. */
  commit: string | null;
  /** The one that answered, or failed last; null: it did not come to one. */
  backend: Backend | null;
  protocol: (typeof PROTOCOLS)[number];
  /** By what the backend was chosen. */
  by: ChosenBy;
  /** Null: answered. Else our code. */
  code: string | null;
  /** Where the answer came from: run for this request, or remembered. */
  from: 'engine' | 'memory' | 'redis' | 'shared' | 'fallback';
  rows: number;
  /** Rows that went to the engine together with its own; 0: none did. */
  batchRows: number;
  /** The batch that it went in, an object that only those have who shared it; null: none, or several. */
  batch: object | null;
  /** Attempts at engines that this request took. */
  attempts: number;
  /** The first of two; null: there was one at most. */
  failed: FailedAttempt | null;
  stages: Stages;
  /** From when it was there whole until its answer was. */
  totalMs: number;
  bytesIn: number;
  bytesOut: number;
}

/** An attempt after which another revision, or another engine, was tried. */
export interface FailedAttempt {
  backend: Backend;
  code: string;
  /** When it began, after the request was there whole. */
  afterMs: number;
  tookMs: number;
}

/** What came with the request; asked only by whoever writes about this very request. */
export interface Carrier {
  /** By its lower-case name; undefined where it was not sent. */
  header(name: string): string | undefined;
}

export type ChosenBy = 'weight' | 'sticky' | 'match' | 'version';

/** Where a request's time went, in ms; but for parsing, of the last attempt. What it did not pass took none. */
export interface Stages {
  /** From bytes to tensors, for every attempt, also where they could not be read. */
  parseMs: number;
  /** From there until its batch left for the engine. */
  queueMs: number;
  /** From there until the engine was done with the batch before it. */
  batchMs: number;
  /** From there until its outputs were back. */
  runMs: number;
  /** From outputs to bytes. */
  encodeMs: number;
}
