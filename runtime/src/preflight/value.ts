import type { Datatype } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../error.ts';
import { quoted, refused } from './refusal.ts';
import type { Field, Wire } from './wire.ts';

const LARGEST_DIMENSION = 2 ** 31 - 1;
const MOST_ELEMENTS = 2 ** 31 - 1;
/** Of a signature. */
const MOST_DIMENSIONS = 8;
/** As the contract has it, spelt out: loading that package would take longer than everything else here. */
export const TENSOR_NAME = /^(?!__proto__$)[\x21-\x7e]{1,200}$/;
const RAGGED = new Map([
  [4, 'a sequence'],
  [5, 'a map'],
  [7, 'of an opaque type'],
  [8, 'a sparse tensor'],
  [9, 'an optional'],
]);

/** ONNX's numbers of the types that can be served. */
const DATATYPES: ReadonlyMap<number, Datatype> = new Map([
  [1, 'FP32'],
  [2, 'UINT8'],
  [3, 'INT8'],
  [4, 'UINT16'],
  [5, 'INT16'],
  [6, 'INT32'],
  [7, 'INT64'],
  [8, 'BYTES'],
  [9, 'BOOL'],
  [10, 'FP16'],
  [11, 'FP64'],
  [12, 'UINT32'],
  [13, 'UINT64'],
]);

/** ONNX's numbers of the others that exporters write: they have no place in the protocols, or none in the engine. */
const UNSERVED: ReadonlyMap<number, string> = new Map([
  [14, 'COMPLEX64'],
  [15, 'COMPLEX128'],
  [16, 'BF16'],
  [17, 'FP8 (E4M3FN)'],
  [19, 'FP8 (E5M2)'],
  [21, 'UINT4'],
  [22, 'INT4'],
]);
/** In a message. */
const MOST_NAMED = 5;

/** An input or an output as the graph declares it: -1 is open, and a null shape is said nowhere. */
export interface DeclaredValue {
  name: string;
  datatype: Datatype;
  shape: readonly number[] | null;
}

/** A value that is read, and not judged yet: an input may turn out to be a weight. */
export interface RawValue {
  name: string;
  elementType: number;
  shape: readonly number[] | null;
  /** What it is where it is no tensor. */
  ragged: string | null;
}

export function readValue(wire: Wire, start: number, end: number): RawValue {
  const value: RawValue = { name: '', elementType: 0, shape: null, ragged: null };
  for (const field of wire.fields(start, end)) {
    if (field.number === 1) value.name = wire.text(field);
    if (field.number === 2) readType(wire, field, value);
  }
  return value;
}

function readType(wire: Wire, type: Field, value: RawValue): void {
  for (const field of wire.fields(...wire.content(type))) {
    value.ragged = RAGGED.get(field.number) ?? value.ragged;
    if (field.number !== 1) continue;
    for (const part of wire.fields(...wire.content(field))) {
      if (part.number === 1) value.elementType = wire.number(part);
      if (part.number === 2) value.shape = readShape(wire, part);
    }
  }
}

function readShape(wire: Wire, shape: Field): number[] {
  const dimensions: number[] = [];
  for (const field of wire.fields(...wire.content(shape))) {
    if (field.number !== 1) continue;
    let dimension = -1;
    for (const part of wire.fields(...wire.content(field))) {
      if (part.number === 1) dimension = wire.number(part);
      if (part.number === 2) dimension = -1;
    }
    dimensions.push(dimension);
    if (dimensions.length > MOST_DIMENSIONS)
      throw refused(
        `an input or output has more than ${MOST_DIMENSIONS} dimensions`,
        'Export it with fewer: a reshape inside the graph can make more of them.',
      );
  }
  return dimensions;
}

/** What a graph takes and gives. Refuses what no request could carry. */
export function judgeValues(
  inputs: readonly RawValue[],
  outputs: readonly RawValue[],
): { inputs: DeclaredValue[]; outputs: DeclaredValue[] } {
  judgeElements(inputs, outputs);
  return {
    inputs: inputs.map(value => judgeValue('input', value)),
    outputs: outputs.map(value => judgeValue('output', value)),
  };
}

/** Names all that hold the first kind of elements that can't be served. */
function judgeElements(inputs: readonly RawValue[], outputs: readonly RawValue[]): void {
  const isServed = ({ ragged, elementType }: RawValue): boolean =>
    ragged !== null || DATATYPES.has(elementType);
  const first = inputs.find(value => !isServed(value)) ?? outputs.find(value => !isServed(value));
  if (first === undefined) return;
  const named = (kind: string, values: readonly RawValue[]): string[] =>
    values
      .filter(value => value.ragged === null && value.elementType === first.elementType)
      .map(({ name }) => `${kind} ${quoted(name)}`);
  throw unserved([...named('input', inputs), ...named('output', outputs)], first.elementType);
}

function unserved(which: readonly string[], elementType: number): SwitchbackError {
  const shown = which.slice(0, MOST_NAMED).join(', ');
  const more = which.length > MOST_NAMED ? ` and ${which.length - MOST_NAMED} more` : '';
  const type = UNSERVED.get(elementType) ?? `of the element type ${elementType}`;
  return refused(
    `${shown}${more} ${which.length === 1 ? 'is' : 'are'} ${type}, which can not be served`,
    'Export the model with inputs and outputs of FP32, FP16, whole numbers, booleans or strings; within it a Cast ' +
      'may make them what they were, and weights may stay.',
  );
}

function judgeValue(kind: 'input' | 'output', value: RawValue): DeclaredValue {
  const what = `${kind} ${quoted(value.name)}`;
  if (!TENSOR_NAME.test(value.name))
    throw refused(
      `${what} has no name of 1 to 200 printable characters, or is called "__proto__"`,
      'Name it when you export the model.',
    );
  if (value.ragged !== null)
    throw refused(
      `${what} is ${value.ragged}, not a tensor`,
      'Export the model with plain tensors (skl2onnx: options={"zipmap": False}).',
    );
  judgeShape(what, value.shape);
  if (value.shape === null && kind === 'input')
    throw refused(
      `${what} has no shape`,
      'Export the model with the shapes of its inputs; a dimension may be open.',
    );
  return { name: value.name, datatype: DATATYPES.get(value.elementType)!, shape: value.shape };
}

function judgeShape(what: string, shape: readonly number[] | null): void {
  let elements = 1;
  for (const dimension of shape ?? []) {
    if (dimension === -1) continue;
    if (dimension < 1 || dimension > LARGEST_DIMENSION)
      throw refused(
        `${what} has the dimension ${dimension}`,
        `Export the model with dimensions from 1 to ${LARGEST_DIMENSION}, or open ones.`,
      );
    elements *= dimension;
  }
  if (elements > MOST_ELEMENTS)
    throw refused(
      `${what} has the shape [${(shape ?? []).join(', ')}], more elements than an engine can hold`,
      'Export the model with smaller inputs and outputs.',
    );
}
