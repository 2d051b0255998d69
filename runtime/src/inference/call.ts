import type { Backend } from '@switchback-ml/schemas';
import type { Caller } from '../batching/work.ts';
import type { Tensors } from '../engine/tensor.ts';

/** One inference request as the service sees it, whatever carried it and however it is written. */
export interface InferenceCall {
  model: string;
  /** Addressed by name; null: the route decides. */
  version: string | null;
  message: Message;
  protocol: Protocol;
  caller: Caller;
  /** As the clock's `elapsed()`, when the request was there whole. */
  arrivedAt: number;
}

/** What came: whole, and no longer compressed. */
export interface Message {
  body: Buffer;
  /** By its lower-case name; undefined where it was not sent. */
  header(name: string): string | undefined;
}

export type ProtocolName = 'v2' | 'v2-grpc' | 'tf-serving' | 'mlflow';

/** A way to write requests and answers. Pure: bytes in, bytes out. */
export interface Protocol {
  readonly name: ProtocolName;
  /** Throws E_BODY for what is no request at all. Needs no knowledge of any model. */
  decode(message: Message): DecodedRequest;
  /**
   * Whatever outside the body shapes the answer, as a short text: two messages with equal bodies and equal encodings
   * get equal answers from one revision.
   */
  encoding(message: Message): string;
}

export interface DecodedRequest {
  /** As its caller names it; absent: not at all. */
  readonly id?: string | undefined;
  /** How long the caller cares to wait, from arrival; null: as long as the limits of the revision allow. */
  timeoutMs: number | null;
  /** 1 goes first, larger ones later; 0, the default, last of all. */
  priority: number;
  /** As the revision that shall answer takes it. Called again for another one. Throws E_INPUT. */
  read(backend: Backend): InferenceInput;
  print(answer: Answer): Reply;
}

export interface InferenceInput {
  /** Every input of the signature, in its order. */
  inputs: Tensors;
  rows: number;
}

/** What a revision said to one request. */
export interface Answer {
  model: string;
  backend: Backend;
  /** Every output of the graph. */
  outputs: Tensors;
  /** Names of the outputs that hold a NaN or an infinity. */
  nonFinite: readonly string[];
}

/** An answer as it goes over the wire. */
export interface Reply {
  /** Names and values in turn, names in lower case; `content-type` always, `content-length` never. */
  headers: readonly string[];
  body: string | Buffer;
}
