import type { Datatype, Signature } from '@switchback-ml/schemas';

/** Number of each datatype in onnx.proto3 (TensorProto.DataType), of all that a runtime serves. */
const ELEMENT_TYPES = {
  BOOL: 9,
  UINT8: 2,
  UINT16: 4,
  UINT32: 12,
  UINT64: 13,
  INT8: 3,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  FP16: 10,
  FP32: 1,
  FP64: 11,
  BYTES: 8,
} as const satisfies Partial<Record<Datatype, number>>;

export type EchoedDatatype = keyof typeof ELEMENT_TYPES;

export const ECHOED = Object.keys(ELEMENT_TYPES) as EchoedDatatype[];
/** Those that gRPC has a field of its own for; halves go raw. */
export const TYPED = ECHOED.filter(datatype => datatype !== 'FP16');

const COLUMNS = 2;

/** Input `int64_in` comes back as output `int64_out`, and so on for each datatype: rows of two elements. */
export function echoSignature(datatypes: readonly EchoedDatatype[]): Signature {
  const tensors = (suffix: string): Signature['inputs'] =>
    Object.fromEntries(
      datatypes.map(datatype => [named(datatype, suffix), { datatype, shape: [-1, COLUMNS] }]),
    );
  return { inputs: tensors('in'), outputs: tensors('out') };
}

/** The graph of `echoSignature`: an Identity for each datatype, in ONNX's own bytes. */
export function echoModel(datatypes: readonly EchoedDatatype[]): Uint8Array {
  const graph = message(
    ...datatypes.map(datatype =>
      field(1, text(1, named(datatype, 'in')), text(2, named(datatype, 'out')), text(4, 'Identity')),
    ),
    text(2, 'echo'),
    ...datatypes.map(datatype => field(11, valueInfo(datatype, 'in'))),
    ...datatypes.map(datatype => field(12, valueInfo(datatype, 'out'))),
  );
  const [irVersion, operatorSet] = [8, 17];
  return message(number(1, irVersion), field(7, graph), field(8, number(2, operatorSet)));
}

/** Two rows of each datatype, with its extremes; what stands here is what must come back. */
export const ECHO_ROWS: Readonly<Record<EchoedDatatype, readonly (number | string | boolean)[]>> = {
  BOOL: [true, false, false, true],
  UINT8: [0, 255, 1, 2],
  UINT16: [0, 65_535, 1, 2],
  UINT32: [0, 4_294_967_295, 1, 2],
  UINT64: ['0', '18446744073709551615', '9007199254740993', '2'],
  INT8: [-128, 127, -1, 2],
  INT16: [-32_768, 32_767, -1, 2],
  INT32: [-2_147_483_648, 2_147_483_647, -1, 2],
  INT64: ['-9223372036854775808', '9223372036854775807', '-9007199254740993', '2'],
  FP16: [0.5, -1.25, 65_504, 2 ** -24],
  FP32: [0.5, -1.25, 3, 16_777_216],
  FP64: [0.1, -1e300, 5e-324, 2],
  BYTES: ['', 'naïve 漢字 🌍', 'two\nlines', 'plain'],
};

export function named(datatype: EchoedDatatype, suffix: string): string {
  return `${datatype.toLowerCase()}_${suffix}`;
}

function valueInfo(datatype: EchoedDatatype, suffix: string): Uint8Array {
  const shape = message(field(1, text(2, 'rows')), field(1, number(1, COLUMNS)));
  const tensor = field(1, number(1, ELEMENT_TYPES[datatype]), field(2, shape));
  return message(text(1, named(datatype, suffix)), field(2, tensor));
}

function text(id: number, value: string): Uint8Array {
  return field(id, Buffer.from(value));
}

function number(id: number, value: number): Uint8Array {
  return message(varint(id * 8), varint(value));
}

function field(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = message(...parts);
  return message(varint(id * 8 + 2), varint(body.length), body);
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  return value < 128
    ? Uint8Array.of(value)
    : Buffer.concat([Uint8Array.of((value % 128) + 128), varint(Math.floor(value / 128))]);
}
