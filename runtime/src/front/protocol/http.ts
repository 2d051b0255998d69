import type { Backend } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../error.ts';
import type { Protocol, Reply } from '../../inference/call.ts';

/** A protocol spoken over HTTP: besides requests and answers, it has a shape for errors. */
export interface HttpProtocol extends Protocol {
  /** `example`: whose inputs may be shown in the words of a request that it takes; null: nobody's. */
  printError(error: SwitchbackError, example?: Backend | null): Reply;
}

/** An answer in HTTP's terms. */
export interface HttpAnswer {
  status: number;
  /** Names and values in turn; neither `content-length` nor `connection` is among them. */
  headers: readonly string[];
  body: string | Buffer;
}

/** Where an inference request goes, as its address says. */
export interface Target {
  protocol: HttpProtocol;
  /** Null: the address names none, and the only one there is, is meant. */
  model: string | null;
  version: string | null;
}

/** Reads a path without its query; null: it is no inference address of this protocol. */
export type FindTarget = (path: string) => Target | null;
