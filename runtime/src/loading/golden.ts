import { readFile, stat } from 'node:fs/promises';
import { type Datatype, GoldenAnswers, type GoldenTensor, type Signature } from '@switchback-ml/schemas';
import {
  elementCount,
  isFixed,
  makeData,
  sliceRows,
  type Tensor,
  type TensorData,
  type Tensors,
} from '../engine/tensor.ts';
import { SwitchbackError } from '../error.ts';
import { isBatchable } from './signature.ts';

/** What docs/reference/manifests.md shows, in one line. */
const FORM =
  'it is {"inputs": {"<name>": {"datatype": "FP32", "shape": [rows, …], "data": [flat, row after row]}}, "outputs": …}';
/** What a float holds: the rest is what is left over when it is written as a double. */
const DIGITS: Partial<Record<Datatype, number>> = { FP16: 5, FP32: 8 };
const LONGEST_FIELD_CHARS = 120;
const LARGEST_GOLDEN_BYTES = 64 * 2 ** 20;
export const DEFAULT_TOLERANCE = 1e-5;
/**
 * The least for halves. Rounding takes or adds up to 2^-11 of a number, here on both sides, so equal answers may be
 * neighbours, 2^-10 apart. It is also what PyTorch's `assert_close` allows float16.
 */
const FP16_TOLERANCE = 1e-3;
/** Enough to meet chance and neighbours; a slow graph needs its time for each. */
const MOST_ROWS_ALONE = 4;

/** Rows with the answers they must get. */
export interface Golden {
  inputs: Tensors;
  outputs: Tensors;
}

/** Reads a verified golden.json. Rejects with E_MODEL_GOLDEN: it is part of the version and can't be mended here. */
export async function readGolden(path: string): Promise<Golden> {
  if ((await stat(path)).size > LARGEST_GOLDEN_BYTES) throw refused('are larger than 64 MiB');
  const parsed = GoldenAnswers.safeParse(jsonIn(await readFile(path, 'utf8')));
  if (!parsed.success) throw refused(`are of another form: ${formFault(parsed.error)}`, parsed.error);
  const { inputs, outputs } = parsed.data;
  const golden = { inputs: toTensors(inputs), outputs: toTensors(outputs) };
  if ([...golden.outputs.values()].every(({ data }) => data.length === 0)) throw refused('are none');
  return golden;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused('are no JSON', error);
  }
}

type FormError = NonNullable<ReturnType<typeof GoldenAnswers.safeParse>['error']>;

/** The first field that is not as golden.json has it, what was expected there, and how it looks when right. */
function formFault({ issues: [issue] }: FormError): string {
  if (issue === undefined) return FORM;
  const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 3).join(', ') : '';
  const field = issue.path.map(String).join('.').slice(0, LONGEST_FIELD_CHARS);
  const what = keys === '' ? issue.message.replace(/^Invalid input: /, '') : `there is no ${keys} there`;
  return `${field === '' ? 'the document' : field}: ${what.slice(0, LONGEST_FIELD_CHARS)}; ${FORM}`;
}

export function toTensors(golden: Record<string, GoldenTensor>): Tensors {
  return new Map(Object.entries(golden).map(([name, tensor]) => [name, toTensor(name, tensor)]));
}

function toTensor(name: string, { datatype, shape, data }: GoldenTensor): Tensor {
  if (elementCount(shape) !== data.length)
    throw refused(`give ${data.length} values for "${name}", whose shape is [${shape.join(', ')}]`);
  const array = makeData(datatype, data.length);
  for (const [index, value] of data.entries()) {
    if (!isFixed(array)) array[index] = asText(name, String(value));
    else
      array[index] =
        array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt(value) : Number(value);
    const stored = array[index];
    if (typeof stored === 'number' && !Number.isFinite(stored))
      throw refused(`give "${name}" the value ${String(value).slice(0, 40)}, which is no finite ${datatype}`);
  }
  return { datatype, shape, data: array };
}

/** ONNX Runtime would end it there. */
function asText(name: string, text: string): string {
  if (text.includes('\0'))
    throw refused(`give "${name}" a text with a NUL character, which no graph gets whole`);
  return text;
}

/** The rows in portions that the graph takes: as it is run later, at most `maxBatch` at a time. */
export function goldenPortions(
  { inputs, outputs }: Golden,
  signature: Signature,
  maxBatch: number,
): Golden[] {
  const rows = [...inputs.values()][0]?.shape[0] ?? 0;
  const firstDimensions = new Set(Object.values(signature.inputs).map(spec => spec.shape[0]));
  const [only] = firstDimensions;
  const fixed = firstDimensions.size === 1 && only !== undefined && only > 0 ? only : rows;
  const portion = isBatchable(signature) ? maxBatch : fixed;
  const isRowwise = [...inputs.values(), ...outputs.values()].every(tensor => tensor.shape[0] === rows);
  if (rows <= portion || !isRowwise || (!isBatchable(signature) && rows % portion !== 0))
    return [{ inputs, outputs }];

  const part = (whole: Tensors, from: number): Tensors =>
    new Map(
      [...whole].map(([name, tensor]) => [name, sliceRows(tensor, from, Math.min(rows, from + portion))]),
    );
  return Array.from({ length: Math.ceil(rows / portion) }, (_, index) => ({
    inputs: part(inputs, index * portion),
    outputs: part(outputs, index * portion),
  }));
}

/** The answers to portions as the answers to all of their rows; to one portion, as they are. */
export function joinRows(answers: readonly Tensors[]): Tensors {
  const [first = new Map(), ...rest] = answers;
  if (rest.length === 0) return first;
  return new Map(
    [...first].map(([name, tensor]) => {
      const parts = answers.flatMap(tensors => tensors.get(name) ?? []);
      const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
      return [name, { ...tensor, shape: [rows, ...tensor.shape.slice(1)], data: joinData(tensor, parts) }];
    }),
  );
}

function joinData({ datatype }: Tensor, parts: readonly Tensor[]): TensorData {
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const whole = makeData(datatype, length);
  let filled = 0;
  for (const { data } of parts) for (const value of data) whole[filled++] = value;
  return whole;
}

/** The first rows once more, each alone: other company than before. All that a graph takes at once where it is fixed. */
export function rowsAlone(golden: Golden, signature: Signature): Golden[] {
  return goldenPortions(golden, signature, 1).slice(0, MOST_ROWS_ALONE);
}

/**
 * How the answers differ from the golden ones, in one clause; null when each is near enough.
 *
 * @param tolerance of `|got - want| / max(1, |want|)`; between halves 0.001 where it is less
 * @param rowsBefore of the golden rows, those that come before these: a row is named as golden.json counts it
 */
export function goldenDifference(
  got: Tensors,
  golden: Tensors,
  tolerance: number,
  rowsBefore = 0,
): string | null {
  for (const [name, want] of golden) {
    const found = got.get(name);
    if (found === undefined) return `there is no output "${name}"`;
    if (found.data.length !== want.data.length)
      return `output "${name}" has ${found.data.length} values and should have ${want.data.length}`;
    const allowed = found.datatype === 'FP16' ? Math.max(tolerance, FP16_TOLERANCE) : tolerance;
    const wrong = Array.from(want.data.keys()).filter(i => !isNear(found.data[i]!, want.data[i]!, allowed));
    const [first] = wrong;
    if (first !== undefined)
      return `${placeOf(name, want, first, rowsBefore)} is ${shown(found, first)} and should be ${shown(want, first)} (tolerance ${allowed}); ${wrong.length} of ${want.data.length} values differ`;
  }
  return null;
}

/** `row 2: probabilities[1]`, both counted from 0, as in golden.json; `row 2: score` where the row has one value. */
function placeOf(name: string, { shape, data }: Tensor, index: number, rowsBefore: number): string {
  const width = data.length / Math.max(1, shape[0] ?? 1);
  const row = Math.floor(index / width) + rowsBefore;
  return `row ${row}: ${name}${width === 1 ? '' : `[${index % width}]`}`;
}

function shown({ datatype, data }: Tensor, index: number): Element {
  const value = data[index]!;
  const digits = DIGITS[datatype];
  return digits !== undefined && typeof value === 'number' ? Number(value.toPrecision(digits)) : value;
}

type Element = number | bigint | string;

function isNear(got: Element, want: Element, tolerance: number): boolean {
  if (typeof want === 'string' || typeof want === 'bigint') return got === want;
  // Never so of golden answers, which are finite: of a graph's answers to the same rows asked again.
  if (!Number.isFinite(want)) return Object.is(got, want);
  return Math.abs(Number(got) - want) <= tolerance * Math.max(1, Math.abs(want));
}

function refused(why: string, cause?: unknown): SwitchbackError {
  return new SwitchbackError('E_MODEL_GOLDEN', `The golden answers ${why}; register the version anew.`, {
    cause,
  });
}
