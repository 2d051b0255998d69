import type { GivenTensor } from '../tensors/given.ts';

export const MOST_ID_CHARS = 256;

/** What the body of a request says, whichever way it was read. */
export interface Said {
  id: string | undefined;
  timeoutMs: number | null;
  priority: number;
  inputs: readonly GivenTensor[];
  /** Null: all outputs. */
  outputs: readonly AskedHttpOutput[] | null;
  /** How outputs are wanted of which the request doesn't say it. */
  isBinary: boolean;
}

/** One output as it is wanted, whatever carries the request. */
export interface AskedOutput {
  name: string;
  /** Only this many of each row's highest elements, as texts `score:index`; 0: the tensor. */
  classes: number;
}

export interface AskedHttpOutput extends AskedOutput {
  /** As binary or as JSON; undefined: as the request says for all of them. */
  isBinary: boolean | undefined;
}
