import { countOf, flat, type Input } from './v2.ts';

/** Bytes of an element; null: each has its own length. */
export const DATATYPES: Readonly<Record<string, number | null>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: null,
};

/** The whole numbers that it holds; null: it holds others too. */
export function rangeOf(datatype: string): { low: bigint; high: bigint } | null {
  const match = /^(U?)INT(8|16|32|64)$/.exec(datatype);
  if (match === null) return null;
  const bits = BigInt(match[2]!);
  return match[1] === 'U'
    ? { low: 0n, high: 2n ** bits - 1n }
    : { low: -(2n ** (bits - 1n)), high: 2n ** (bits - 1n) - 1n };
}

/** The tensor's data as the binary extension has them: little-endian, in order, without padding. */
export function toBinary({ datatype, data }: Input): Buffer {
  const elements = flat(data);
  if (datatype === 'BYTES') return Buffer.concat(elements.map(element => textBytes(String(element))));
  const size = DATATYPES[datatype] ?? 0;
  const buffer = Buffer.alloc(elements.length * size);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  for (const [index, element] of elements.entries()) write(view, index * size, datatype, element);
  return buffer;
}

/** Back to what JSON would have held. Null where the bytes do not fit the shape. */
export function fromBinary(datatype: string, shape: readonly number[], bytes: Buffer): unknown[] | null {
  const size = DATATYPES[datatype];
  if (size === undefined) return null;
  if (size === null) return textsIn(bytes, countOf(shape));
  if (bytes.length !== size * countOf(shape)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: countOf(shape) }, (_, index) => read(view, index * size, datatype));
}

function write(view: DataView, at: number, datatype: string, element: unknown): void {
  const value = Number(element);
  if (datatype === 'FP64') view.setFloat64(at, value, true);
  else if (datatype === 'FP32') view.setFloat32(at, value, true);
  else if (datatype === 'FP16') view.setFloat16(at, value, true);
  else if (datatype === 'BF16') view.setUint16(at, upperHalfOf(value), true);
  else if (datatype.endsWith('64')) view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  else if (datatype.endsWith('32')) view.setUint32(at, value, true);
  else if (datatype.endsWith('16')) view.setUint16(at, value, true);
  else view.setUint8(at, value);
}

function read(view: DataView, at: number, datatype: string): unknown {
  switch (datatype) {
    case 'BOOL':
      return view.getUint8(at) !== 0;
    case 'UINT8':
      return view.getUint8(at);
    case 'INT8':
      return view.getInt8(at);
    case 'UINT16':
      return view.getUint16(at, true);
    case 'INT16':
      return view.getInt16(at, true);
    case 'UINT32':
      return view.getUint32(at, true);
    case 'INT32':
      return view.getInt32(at, true);
    case 'UINT64':
      return Number(view.getBigUint64(at, true));
    case 'INT64':
      return Number(view.getBigInt64(at, true));
    case 'FP16':
      return view.getFloat16(at, true);
    case 'BF16':
      return upperHalfFrom(view.getUint16(at, true));
    case 'FP32':
      return view.getFloat32(at, true);
    default:
      return view.getFloat64(at, true);
  }
}

/** The upper half of an FP32, to the nearest, and of two that are as near to the even one. */
function upperHalfOf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  if (Number.isNaN(value)) return (bits >>> 16) | 1;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function upperHalfFrom(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function textsIn(bytes: Buffer, count: number): string[] | null {
  const texts: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return null;
    texts.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return at === bytes.length && texts.length === count ? texts : null;
}
