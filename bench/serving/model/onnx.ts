/*
 * Writes ONNX graphs of floats by hand, enough for the models that are measured. Field numbers are those of
 * onnx.proto3 and onnx-ml.proto3.
 */
const FLOAT = 1;
const IR_VERSION = 8;
const OPERATOR_SETS = { '': 17, 'ai.onnx.ml': 3 };
const KIND = { int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

export interface FloatTensor {
  name: string;
  /** A string is a dimension that each request chooses. */
  shape: readonly (number | string)[];
}

export interface GraphNode {
  op: string;
  /** Of the operator; ONNX's own when absent. */
  domain?: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, Attribute>>;
}

export type Attribute =
  | { int: number }
  | { string: string }
  | { ints: readonly number[] }
  | { floats: readonly number[] }
  | { strings: readonly string[] };

export interface Constant {
  name: string;
  shape: readonly number[];
  values: Float32Array;
}

export interface FloatGraph {
  input: FloatTensor;
  output: FloatTensor;
  nodes: readonly GraphNode[];
  constants: readonly Constant[];
}

/** The bytes of a model file; the same for the same graph. */
export function onnxBytes({ input, output, nodes, constants }: FloatGraph): Uint8Array {
  const graph = message([
    ...nodes.map(node => bytes(1, nodeProto(node))),
    text(2, 'bench'),
    ...constants.map(constant => bytes(5, tensorProto(constant))),
    bytes(11, valueInfo(input)),
    bytes(12, valueInfo(output)),
  ]);
  const sets = Object.entries(OPERATOR_SETS).map(([domain, version]) =>
    bytes(8, message([text(1, domain), int(2, version)])),
  );
  return message([int(1, IR_VERSION), bytes(7, graph), ...sets]);
}

function nodeProto({ op, domain, inputs, outputs, attributes = {} }: GraphNode): Uint8Array {
  return message([
    ...inputs.map(name => text(1, name)),
    ...outputs.map(name => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, attribute]) => bytes(5, attributeProto(name, attribute))),
    ...(domain === undefined ? [] : [text(7, domain)]),
  ]);
}

function attributeProto(name: string, attribute: Attribute): Uint8Array {
  return message([text(1, name), ...attributeFields(attribute)]);
}

function attributeFields(attribute: Attribute): Uint8Array[] {
  if ('int' in attribute) return [int(3, attribute.int), int(20, KIND.int)];
  if ('string' in attribute) return [text(4, attribute.string), int(20, KIND.string)];
  if ('floats' in attribute)
    return [bytes(7, littleEndian(Float32Array.from(attribute.floats))), int(20, KIND.floats)];
  if ('ints' in attribute) return [bytes(8, message(attribute.ints.map(varint))), int(20, KIND.ints)];
  return [...attribute.strings.map(one => text(9, one)), int(20, KIND.strings)];
}

function tensorProto({ name, shape, values }: Constant): Uint8Array {
  return message([
    ...shape.map(size => int(1, size)),
    int(2, FLOAT),
    text(8, name),
    bytes(9, littleEndian(values)),
  ]);
}

function valueInfo({ name, shape }: FloatTensor): Uint8Array {
  const dimensions = shape.map(size =>
    bytes(1, message([typeof size === 'number' ? int(1, size) : text(2, size)])),
  );
  const tensor = message([int(1, FLOAT), bytes(2, message(dimensions))]);
  return message([text(1, name), bytes(2, message([bytes(1, tensor)]))]);
}

/** ONNX wants it so; every machine that this runs on has it so. */
function littleEndian(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function int(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** Of numbers from nought; none of these graphs has others. */
function varint(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128);
  return Uint8Array.from([...digits, rest]);
}
