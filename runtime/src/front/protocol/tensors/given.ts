import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import { elementCount, type Tensor, type TensorData, type Tensors } from '../../../engine/tensor.ts';
import type { SwitchbackError } from '../../../error.ts';
import type { InferenceInput } from '../../../inference/call.ts';
import { readBytes } from './binary.ts';
import { readData } from './json-data.ts';
import { badInput, refusedElement, unknownName } from './refusal.ts';
import { type Takes, takesOf } from './takes.ts';

export { badInput };

/** A tensor as a protocol gave it, not yet held against what the model takes. */
export interface GivenTensor {
  name: string;
  /** Null: whatever the model declares. */
  datatype: string | null;
  shape: readonly number[];
  data: GivenData;
}

export type GivenData =
  /** JSON values, flat or nested to the shape. Integers that a double doesn't hold may come as bigints. */
  | { kind: 'json'; values: readonly unknown[] }
  /**
   * Row-major, little-endian, without padding; BYTES as u32 length and bytes each, in UTF-8. May be shared, so nobody
   * changes them any more.
   */
  | { kind: 'bytes'; bytes: Uint8Array }
  /** Already as the engine takes it; of exactly as many elements as the shape has. */
  | { kind: 'ready'; data: TensorData };

/** Holds what was given against the signature: the one validation of all protocols. Throws E_INPUT. */
export function readTensors(given: readonly GivenTensor[], backend: Backend): InferenceInput {
  const takes = takesOf(backend);
  const ordered = isInOrder(given, takes) ? given : inOrder(given, takes);
  // In the signature's order, so that requests that differ in nothing else share a batch.
  const inputs = new Map<string, Tensor>();
  for (let index = 0; index < ordered.length; index++) {
    inputs.set(takes.names[index]!, readTensor(ordered[index]!, takes.specs[index]!));
  }
  return { inputs, rows: takes.isBatchable ? commonRows(inputs, takes.mostRows) : 1 };
}

/** Throws E_INPUT for a name that is no output of the model. */
export function refuseUnknownOutputs(asked: readonly string[], { signature }: Backend): void {
  const unknown = asked.find(name => !Object.hasOwn(signature.outputs, name));
  if (unknown !== undefined) throw unknownName('output', unknown, Object.keys(signature.outputs));
}

function isInOrder(given: readonly GivenTensor[], { names }: Takes): boolean {
  if (given.length !== names.length) return false;
  for (let index = 0; index < given.length; index++) if (given[index]!.name !== names[index]) return false;
  return true;
}

function inOrder(given: readonly GivenTensor[], { names }: Takes): GivenTensor[] {
  const known = new Map<string, GivenTensor>();
  for (const input of given) {
    if (!names.includes(input.name)) throw unknownName('input', input.name, names);
    if (known.has(input.name)) throw badInput(input.name, 'must be there once', 'twice');
    known.set(input.name, input);
  }
  return names.map(name => known.get(name) ?? missing(name));
}

function missing(name: string): never {
  throw badInput(name, 'is missing', 'nothing');
}

function readTensor({ name, datatype, shape, data }: GivenTensor, spec: TensorSpec): Tensor {
  if (datatype !== null && datatype !== spec.datatype)
    throw badInput(name, `must be ${spec.datatype}`, datatype);
  if (!fits(shape, spec.shape))
    throw badInput(name, `must have the shape [${spec.shape.join(', ')}]`, shownShape(shape));
  const count = elementCount(shape);
  if (!Number.isSafeInteger(count) || count === 0)
    throw badInput(name, 'must have at least one element', `the shape ${shownShape(shape)}`);
  const read = readGiven(name, spec, shape, data);
  if (spec.datatype === 'BYTES') refuseCutTexts(name, read as readonly string[]);
  return { datatype: spec.datatype, shape, data: read };
}

/** ONNX Runtime takes a text up to its first NUL for the whole, and would answer for another one. */
function refuseCutTexts(name: string, texts: readonly string[]): void {
  const index = texts.findIndex(text => text.includes('\0'));
  if (index !== -1) throw refusedElement(name, index, 'text without a NUL character', texts[index]);
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (shape.length !== declared.length) return false;
  for (let index = 0; index < shape.length; index++) {
    const size = shape[index]!;
    const isOpen = declared[index] === -1;
    if (isOpen ? !(Number.isSafeInteger(size) && size >= 0) : size !== declared[index]) return false;
  }
  return true;
}

function readGiven(
  name: string,
  { datatype }: TensorSpec,
  shape: readonly number[],
  data: GivenData,
): TensorData {
  switch (data.kind) {
    case 'json':
      return readData(name, datatype, shape, data.values);
    case 'ready':
      return data.data;
    case 'bytes':
      return readBytes(name, datatype, shape, data.bytes);
    default:
      return data satisfies never;
  }
}

function commonRows(inputs: Tensors, mostRows: number): number {
  let first: string | null = null;
  let rows = 1;
  for (const [name, { shape }] of inputs) {
    if (first === null) {
      first = name;
      rows = shape[0]!;
    } else if (shape[0] !== rows) {
      throw badInput(name, `must have ${rows} rows, as "${first}" has`, `${shape[0]} rows`);
    }
  }
  if (rows > mostRows) throw tooManyRows(first!, rows, mostRows);
  return rows;
}

function tooManyRows(name: string, rows: number, mostRows: number): SwitchbackError {
  return badInput(
    name,
    `may have at most ${mostRows} rows in one request, as many as may wait for the model (limits.queue)`,
    `${rows} rows`,
  );
}

/** Shapes are the caller's: of any length, and not only of numbers that a dimension may be. */
function shownShape(shape: readonly number[]): string {
  return `[${shape.slice(0, 16).join(', ')}${shape.length > 16 ? ', …' : ''}]`;
}
