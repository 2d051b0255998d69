import { badBody } from './bad-body.ts';

type Parameters = Readonly<Record<string, string | number | boolean>>;

const NONE: Parameters = {};
const MOST_PARAMETERS = 1000;

/** Of the request, of an input or of an output. `at` names it in errors. Throws E_BODY. */
export function readParameters(json: unknown, at: string): Parameters {
  if (json === undefined) return NONE;
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw badBody(`${at} must be an object`);
  const parameters = Object.entries(json);
  if (parameters.length > MOST_PARAMETERS) throw badBody(`${at} has more than ${MOST_PARAMETERS} parameters`);
  for (const [key, value] of parameters) {
    const name = JSON.stringify(key.slice(0, 100));
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw badBody(`${at}: ${name} must be a string, a number or a boolean`);
    if (key.startsWith('triton_')) throw badBody(`${at}: ${name} is reserved`);
    if (key.startsWith('shared_memory_')) throw badBody(`${at}: ${name}: shared memory is not supported`);
    if (key.startsWith('sequence_'))
      throw badBody(`${at}: ${name}: sequences are not supported, every request is by itself`);
  }
  return json as Parameters;
}

/** Throws E_BODY for another value; undefined where it is not there. */
export function flag(parameters: Parameters, key: string, at: string): boolean | undefined {
  const value = ownValue(parameters, key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw badBody(`${at}: "${key}" must be true or false`);
}

/** A whole number of at least `low`. Throws E_BODY for another value; undefined where it is not there. */
export function whole(parameters: Parameters, key: string, low: number, at: string): number | undefined {
  const value = ownValue(parameters, key);
  if (value === undefined || isWhole(value, low)) return value;
  throw badBody(`${at}: "${key}" must be a whole number of at least ${low}`);
}

function isWhole(value: unknown, low: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= low;
}

function ownValue(parameters: Parameters, key: string): string | number | boolean | undefined {
  return Object.hasOwn(parameters, key) ? parameters[key] : undefined;
}

/** The protocol's `timeout` is in microseconds, and 0 is none. */
export function timeoutMsOf(timeoutUs: number | undefined): number | null {
  return timeoutUs === undefined || timeoutUs === 0 ? null : timeoutUs / 1000;
}
