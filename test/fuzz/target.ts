import { ERROR_CODES } from '@switchback-ml/schemas';
import type fc from 'fast-check';

/** One parser, or a few that read the same kind of thing. */
export interface Target {
  /** Reads the bytes as the product would. Throws what the product throws; anything else is a finding. */
  read(bytes: Buffer): void | Promise<void>;
  /** What it reads in earnest, to begin from. */
  examples: readonly (string | Uint8Array)[];
  /** What has a meaning in it. */
  words: readonly string[];
  /** Documents of its own kind, well-formed to begin with. */
  documents?: fc.Arbitrary<string | Uint8Array>;
  /** Names of errors that every caller of it catches, and turns into its own. */
  caught?: readonly string[];
}

const MOST_WORDS = 8000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** Why what was thrown is none of ours; null: it is an error with a code, fit to be shown. */
export function whyUnexpected(error: unknown, caught: readonly string[] = []): string | null {
  if (!(error instanceof Error)) return `threw what is no error: ${String(error)}`;
  if (caught.includes(error.name) && !/call stack/.test(error.message)) return null;
  const code = 'code' in error ? error.code : undefined;
  if (!ERROR_CODES.some(known => known === code) || code === 'E_INTERNAL')
    return `${error.name}: ${error.message}\n${error.stack}`;
  if (error.message.length > MOST_WORDS) return `an error of ${error.message.length} characters`;
  if (CONTROL.test(error.message))
    return `an error with control characters: ${JSON.stringify(error.message)}`;
  return null;
}

/** What no input may do, whatever it is. */
export function whyTainted(): string | null {
  const added = Reflect.ownKeys(Object.prototype).filter(key => !PROTOTYPE.has(key));
  return added.length === 0 ? null : `Object.prototype has got ${added.map(String).join(', ')}`;
}

const PROTOTYPE = new Set(Reflect.ownKeys(Object.prototype));
