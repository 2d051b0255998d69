import { all, expecting, fail, type Outcome, PASS } from './check.ts';
import { fromBinary } from './datatypes.ts';
import { type Answer, headLengthOf, show } from './server.ts';
import { answerFault, flat, type InferAnswer, isObject, type Output } from './v2.ts';

export function hasStatus(answer: Answer, status: number): Outcome {
  return expecting(answer.status === status, `status ${status}`, show(answer));
}

/** Told as the protocol tells it: an HTTP error status, and why in `error`. */
export function isRefused(answer: Answer): Outcome {
  const isError = answer.status >= 400 && answer.status < 600;
  return all(
    expecting(isError, 'an HTTP error status', show(answer)),
    expecting(
      isObject(answer.json) && typeof answer.json['error'] === 'string',
      'a body of the form {"error": "<sentence>"}',
      show(answer),
    ),
  );
}

/** Refused as the caller's fault, not the server's. */
export function isBlamed(answer: Answer): Outcome {
  const isCallers = answer.status >= 400 && answer.status < 500;
  return all(expecting(isCallers, 'a status of 4xx', show(answer)), isRefused(answer));
}

/** An answer with values; `judge` looks into it. */
export function isAnswered(answer: Answer, judge: (json: InferAnswer) => Outcome = () => PASS): Outcome {
  if (answer.status !== 200) return fail('status 200', show(answer));
  const fault = answerFault(answer.json);
  if (fault !== null) return fail('an inference response', `${fault}: ${show(answer)}`);
  return judge(answer.json as InferAnswer);
}

/** The same outputs with the same values, whether they came in JSON or in binary. */
export function sameValues(answer: Answer, expected: InferAnswer): Outcome {
  return isAnswered(answer, json => {
    const got = valuesOf(answer, json);
    if (got === null) return fail('binary tensors of the sizes that the JSON says', show(answer));
    for (const { name, data } of expected.outputs) {
      const values = got.get(name);
      if (values === undefined) return fail(`the output "${name}"`, show(answer));
      if (!isClose(values, flat(data)))
        return fail(`${name} ${brief(flat(data))}, as the sample was answered`, brief(values));
    }
    return PASS;
  });
}

/** Of each output; null where bytes and JSON do not fit together. */
export function valuesOf({ body, headers }: Answer, { outputs }: InferAnswer): Map<string, unknown[]> | null {
  const values = new Map<string, unknown[]>();
  let at = headLengthOf(headers) ?? body.length;
  for (const output of outputs) {
    const size = binarySizeOf(output);
    const bytes = size === null ? null : body.subarray(at, at + size);
    at += size ?? 0;
    const read = bytes === null ? flat(output.data) : fromBinary(output.datatype, output.shape, bytes);
    if (read === null) return null;
    values.set(output.name, read);
  }
  return at === body.length ? values : null;
}

/** Bytes that it has behind the JSON; null: it is in the JSON. */
export function binarySizeOf({ parameters }: Output): number | null {
  const size = parameters?.['binary_data_size'];
  return typeof size === 'number' ? size : null;
}

function isClose(got: readonly unknown[], expected: readonly unknown[]): boolean {
  return got.length === expected.length && got.every((value, index) => isSame(value, expected[index]));
}

/** Floats of 16 and 32 bits may be printed with more or fewer digits than they hold; what is not finite may be null. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b || (isNotFinite(a) && isNotFinite(b))) return true;
  if (typeof a !== 'number' || typeof b !== 'number') return false;
  return Math.abs(a - b) <= 1e-3 * Math.max(Math.abs(a), Math.abs(b));
}

function isNotFinite(value: unknown): boolean {
  return value === null || (typeof value === 'number' && !Number.isFinite(value));
}

function brief(values: readonly unknown[]): string {
  return JSON.stringify(values.slice(0, 8));
}
