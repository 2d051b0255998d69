import type { Sample } from '../model/sample.ts';
import type { Encoding, Message } from '../v2.ts';

/** How one question of one row is put to a subject, and its answer read. */
export interface Dialect {
  url: string;
  /** One message a row of the sample, in its order. */
  messages: readonly Message[];
  /** The values of the answer. Throws where there are none. */
  read: (body: Buffer, headers: Headers) => number[];
}

/** Something that is measured: running processes that answer one model. Stopped by whoever started it. */
export interface Subject extends AsyncDisposable {
  kind: SubjectKind;
  /** Those that take requests, and those that do the arithmetic where that is somebody else. */
  processes: () => { front: readonly number[]; engine: readonly number[] };
  /** In an encoding that its kind speaks. */
  dialect: (encoding: Encoding) => Dialect;
}

export interface SubjectKind {
  name: string;
  /** ours; bare: HTTP without inference; peer: another server of models. */
  role: 'ours' | 'bare' | 'peer';
  /** Its version and settings, in one clause for the table. */
  what: string;
  speaks: readonly Encoding[];
  /** Rejects with a sentence when it can't be had here. */
  start: (sample: Sample, ground: Ground) => Promise<Subject>;
}

/** Where subjects may put files, and what stops them all. */
export interface Ground {
  /** Gone after the run. */
  scratch: string;
  /** Kept between runs: packages of peers. */
  cache: string;
  tell: (words: string) => void;
  signal: AbortSignal;
}
