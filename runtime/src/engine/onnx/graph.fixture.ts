import type { Datatype } from '@switchback-ml/schemas';

/*
 * Writes the protobuf of an ONNX graph by hand: enough of it for tests to have real models of a few hundred bytes.
 * Field numbers are those of onnx.proto3.
 */
const ELEMENT_TYPES: Partial<Record<ElementType, number>> = {
  FP32: 1,
  UINT8: 2,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  BF16: 16,
};

/** Also what no protocol has. */
type ElementType = Datatype | 'BF16';

export interface Value {
  name: string;
  datatype: ElementType;
  /** A string is a dimension that each request chooses. */
  shape: readonly (number | string)[];
}
export interface Node {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: readonly Uint8Array[];
  name?: string;
  /** Of the operator; ONNX's own when absent. */
  domain?: string;
}
export interface Graph {
  inputs: readonly Value[];
  outputs: readonly Value[];
  nodes: readonly Node[];
  initializers?: readonly Uint8Array[];
  sparse?: readonly Uint8Array[];
}

export interface ModelOptions {
  irVersion?: number;
  /** Version by domain. */
  operatorSets?: Readonly<Record<string, number>>;
  functions?: readonly LocalFunction[];
}
export interface LocalFunction {
  domain: string;
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  nodes: readonly Node[];
}

export function onnxModel(graph: Graph, options: ModelOptions = {}): Uint8Array {
  const { irVersion = 8, operatorSets = { '': 17 }, functions = [] } = options;
  return message([
    varintField(1, irVersion),
    bytesField(7, graphProto(graph)),
    ...operatorSetFields(8, operatorSets),
    ...functions.map(local => bytesField(25, functionProto(local))),
  ]);
}

/** A constant of the graph. */
export function initializer(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  raw: Uint8Array,
): Uint8Array {
  return message([
    ...shape.map(size => varintField(1, size)),
    varintField(2, ELEMENT_TYPES[datatype]!),
    text(8, name),
    bytesField(9, raw),
  ]);
}

/** A constant of INT64 whose elements stand as numbers, packed, instead of bytes. */
export function packedInitializer(
  name: string,
  shape: readonly number[],
  values: readonly number[],
): Uint8Array {
  return message([
    ...shape.map(size => varintField(1, size)),
    varintField(2, ELEMENT_TYPES.INT64!),
    bytesField(7, message(values.map(varint))),
    text(8, name),
  ]);
}

/** A constant whose elements stand elsewhere, by these entries. */
export function externalInitializer(
  name: string,
  shape: readonly number[],
  entries: Readonly<Record<string, string>>,
): Uint8Array {
  return message([
    ...shape.map(size => varintField(1, size)),
    varintField(2, ELEMENT_TYPES.FP32!),
    text(8, name),
    ...Object.entries(entries).map(([key, value]) => bytesField(13, message([text(1, key), text(2, value)]))),
    varintField(14, 1),
  ]);
}

/** A constant, named by its values, that is nought elsewhere. */
export function sparseInitializer(values: Uint8Array, at: Uint8Array, shape: readonly number[]): Uint8Array {
  return message([bytesField(1, values), bytesField(2, at), ...shape.map(size => varintField(3, size))]);
}

export function tensorAttribute(name: string, tensor: Uint8Array): Uint8Array {
  return message([text(1, name), bytesField(5, tensor), varintField(20, 4)]);
}

export function graphAttribute(name: string, graph: Graph): Uint8Array {
  return message([text(1, name), bytesField(6, graphProto(graph)), varintField(20, 5)]);
}

export function intAttribute(name: string, value: number): Uint8Array {
  return message([text(1, name), varintField(3, value), varintField(20, 2)]);
}

/** `ratio = numerator / denominator`, and never back from a numerator above `hangsAbove`. */
export function ratioModel(hangsAbove = 1e6): Uint8Array {
  const batch = ['rows', 1];
  const loopBody: Graph = {
    inputs: [
      { name: 'turn', datatype: 'INT64', shape: [] },
      { name: 'goOn', datatype: 'BOOL', shape: [] },
      { name: 'before', datatype: 'FP32', shape: batch },
    ],
    outputs: [
      { name: 'goOnStill', datatype: 'BOOL', shape: [] },
      { name: 'after', datatype: 'FP32', shape: batch },
    ],
    nodes: [
      { op: 'Identity', inputs: ['goOn'], outputs: ['goOnStill'] },
      { op: 'Identity', inputs: ['before'], outputs: ['after'] },
    ],
  };
  return onnxModel({
    inputs: [
      { name: 'numerator', datatype: 'FP32', shape: batch },
      { name: 'denominator', datatype: 'FP32', shape: batch },
    ],
    outputs: [{ name: 'ratio', datatype: 'FP32', shape: batch }],
    nodes: [
      {
        op: 'ReduceMax',
        inputs: ['numerator'],
        outputs: ['largest'],
        attributes: [intAttribute('keepdims', 0)],
      },
      { op: 'Greater', inputs: ['largest', 'bound'], outputs: ['isTooLarge'] },
      {
        op: 'Loop',
        inputs: ['', 'isTooLarge', 'numerator'],
        outputs: ['looped'],
        attributes: [graphAttribute('body', loopBody)],
      },
      { op: 'Div', inputs: ['looped', 'denominator'], outputs: ['ratio'] },
    ],
    initializers: [initializer('bound', 'FP32', [], new Uint8Array(Float32Array.of(hangsAbove).buffer))],
  });
}

/** `y = x`, of any rank and of whatever datatype, to see what the engine itself does to elements. */
export function identityModel(datatype: ElementType, shape: Value['shape']): Uint8Array {
  return onnxModel({
    inputs: [{ name: 'x', datatype, shape }],
    outputs: [{ name: 'y', datatype, shape }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}

/** `ratio = numerator / denominator` in halves, and the same in FP32 as `wide`. */
export function halfRatioModel(): Uint8Array {
  const column = (name: string, datatype: Datatype): Value => ({ name, datatype, shape: ['rows', 1] });
  return onnxModel({
    inputs: [column('numerator', 'FP16'), column('denominator', 'FP16')],
    outputs: [column('ratio', 'FP16'), column('wide', 'FP32')],
    nodes: [
      { op: 'Div', inputs: ['numerator', 'denominator'], outputs: ['ratio'] },
      { op: 'Cast', inputs: ['ratio'], outputs: ['wide'], attributes: [intAttribute('to', 1)] },
    ],
  });
}

/** `value = table[index]`: the graph itself refuses an index outside of the ten of its table. */
export function lookupModel(): Uint8Array {
  const table = Float32Array.from({ length: 10 }, (_, index) => index * 10);
  return onnxModel({
    inputs: [{ name: 'index', datatype: 'INT64', shape: ['rows'] }],
    outputs: [{ name: 'value', datatype: 'FP32', shape: ['rows'] }],
    nodes: [{ op: 'Gather', inputs: ['table', 'index'], outputs: ['value'] }],
    initializers: [initializer('table', 'FP32', [10], new Uint8Array(table.buffer))],
  });
}

/** Makes `count` floats and sums them up: asks for as much memory as the request says. */
export function hungryModel(): Uint8Array {
  return onnxModel({
    inputs: [{ name: 'count', datatype: 'INT64', shape: [1] }],
    outputs: [{ name: 'sum', datatype: 'FP32', shape: [] }],
    nodes: [
      { op: 'ConstantOfShape', inputs: ['count'], outputs: ['zeros'] },
      { op: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
    ],
  });
}

function graphProto({ inputs, outputs, nodes, initializers = [], sparse = [] }: Graph): Uint8Array {
  return message([
    ...nodes.map(node => bytesField(1, nodeProto(node))),
    text(2, 'fixture'),
    ...initializers.map(tensor => bytesField(5, tensor)),
    ...inputs.map(value => bytesField(11, valueInfo(value))),
    ...outputs.map(value => bytesField(12, valueInfo(value))),
    ...sparse.map(tensor => bytesField(15, tensor)),
  ]);
}

function nodeProto({ op, inputs, outputs, attributes = [], name, domain }: Node): Uint8Array {
  return message([
    ...inputs.map(input => text(1, input)),
    ...outputs.map(output => text(2, output)),
    ...(name === undefined ? [] : [text(3, name)]),
    text(4, op),
    ...attributes.map(attribute => bytesField(5, attribute)),
    ...(domain === undefined ? [] : [text(7, domain)]),
  ]);
}

function functionProto({ domain, name, inputs, outputs, nodes }: LocalFunction): Uint8Array {
  return message([
    text(1, name),
    ...inputs.map(input => text(4, input)),
    ...outputs.map(output => text(5, output)),
    ...nodes.map(node => bytesField(7, nodeProto(node))),
    ...operatorSetFields(9, { '': 17, [domain]: 1 }),
    text(10, domain),
  ]);
}

function operatorSetFields(field: number, sets: Readonly<Record<string, number>>): Uint8Array[] {
  return Object.entries(sets).map(([domain, version]) =>
    bytesField(field, message([text(1, domain), varintField(2, version)])),
  );
}

function valueInfo({ name, datatype, shape }: Value): Uint8Array {
  const dimensions = shape.map(size =>
    bytesField(1, message([typeof size === 'number' ? varintField(1, size) : text(2, size)])),
  );
  const tensor = message([varintField(1, ELEMENT_TYPES[datatype]!), bytesField(2, message(dimensions))]);
  return message([text(1, name), bytesField(2, message([bytesField(1, tensor)]))]);
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function text(field: number, value: string): Uint8Array {
  return bytesField(field, Buffer.from(value));
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function varintField(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Uint8Array {
  if (value < 0) return negativeVarint(value);
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** Two's complement in 64 bits: ten bytes. */
function negativeVarint(value: number): Uint8Array {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Uint8Array.from({ length: 10 }, (_, index) => {
    const seven = Number((bits >> BigInt(index * 7)) & 127n);
    return index === 9 ? seven : seven + 128;
  });
}
