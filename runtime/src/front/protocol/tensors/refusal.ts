import { SwitchbackError } from '../../../error.ts';
import { nearestName } from './nearest.ts';

const MOST_NAME_CHARS = 100;

/** An input that isn't what the model takes. `expected` completes `Input "x" …`. */
export function badInput(tensor: string, expected: string, got: string): SwitchbackError {
  const message = `Input ${printedName(tensor)} ${expected}; got ${got}.`;
  return new SwitchbackError('E_INPUT', message, {
    details: { tensor: tensor.slice(0, MOST_NAME_CHARS), expected, got },
  });
}

/** An input whose data does not fit what is said of it. */
export function refused(name: string, expected: string, got: unknown): SwitchbackError {
  const message = `Input ${printedName(name)}: ${expected}, not ${got}.`;
  return new SwitchbackError('E_INPUT', message, {
    details: { tensor: name.slice(0, MOST_NAME_CHARS), expected, got },
  });
}

/** One element, by its index in row-major order. */
export function refusedElement(name: string, index: number, expected: string, got: unknown): SwitchbackError {
  const shown = shownValue(got);
  const message = `Input ${printedName(name)}: element ${index} must be ${expected}, not ${shown}.`;
  return new SwitchbackError('E_INPUT', message, {
    details: { tensor: name.slice(0, MOST_NAME_CHARS), index, expected, got: shown },
  });
}

function printedName(name: string): string {
  return JSON.stringify(name.slice(0, MOST_NAME_CHARS));
}

function shownValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value).slice(0, 60);
  return JSON.stringify(value)?.slice(0, 60) ?? 'nothing';
}

/** A name that the model does not know, with the one most likely meant. */
export function unknownName(
  kind: 'input' | 'output',
  name: string,
  known: readonly string[],
): SwitchbackError {
  const nearest = nearestName(name, known);
  const hint = nearest === null ? `it has ${known.join(', ').slice(0, 1000)}` : `did you mean "${nearest}"?`;
  const shown = name.slice(0, MOST_NAME_CHARS);
  return new SwitchbackError('E_INPUT', `The model has no ${kind} ${JSON.stringify(shown)}: ${hint}`, {
    details: { tensor: shown, expected: known, got: shown, ...(nearest !== null && { nearest }) },
  });
}
