import { SwitchbackError } from '../error.ts';

const LONGEST_NAME = 80;

/** Why a model file may not be loaded: one clause, and what to do about it. */
export function refused(what: string, remedy: string): SwitchbackError {
  return new SwitchbackError('E_MODEL_LOAD', `The model file is refused: ${what}. ${remedy}`);
}

/** A name from a hostile file, fit for a sentence and for a log. */
export function quoted(name: string): string {
  const printable = name.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll('"', "'");
  return `"${printable.length > LONGEST_NAME ? `${printable.slice(0, LONGEST_NAME)}…` : printable}"`;
}
