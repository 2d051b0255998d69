import type { Datatype } from '@switchback-ml/schemas';
import { ARRAYS, elementCount, type FixedDatatype } from '../../../engine/tensor.ts';
import type { GivenData } from '../../protocol/tensors/given.ts';
import { badInput, refused, refusedElement } from '../../protocol/tensors/refusal.ts';
import { DELIMITED, FIXED32, FIXED64, VARINT, WireReader } from './wire-reader.ts';

/** Which field of InferTensorContents has the elements of a datatype, and what one is on the wire. */
interface Home {
  number: number;
  name: string;
  /** Of an element that is not packed. */
  type: number;
}

const HOMES: Partial<Record<string, Home>> = {
  BOOL: { number: 1, name: 'bool_contents', type: VARINT },
  INT8: { number: 2, name: 'int_contents', type: VARINT },
  INT16: { number: 2, name: 'int_contents', type: VARINT },
  INT32: { number: 2, name: 'int_contents', type: VARINT },
  INT64: { number: 3, name: 'int64_contents', type: VARINT },
  UINT8: { number: 4, name: 'uint_contents', type: VARINT },
  UINT16: { number: 4, name: 'uint_contents', type: VARINT },
  UINT32: { number: 4, name: 'uint_contents', type: VARINT },
  UINT64: { number: 5, name: 'uint64_contents', type: VARINT },
  FP32: { number: 6, name: 'fp32_contents', type: FIXED32 },
  FP64: { number: 7, name: 'fp64_contents', type: FIXED64 },
  BYTES: { number: 8, name: 'bytes_contents', type: DELIMITED },
} satisfies Partial<Record<Datatype, Home>>;

const NAMES = new Map(Object.values(HOMES).map(home => [home!.number, home!.name]));
const NOTHING: GivenData = { kind: 'bytes', bytes: new Uint8Array() };

/** The stretches of a message that hold the elements of one tensor. */
interface Stretches {
  bytes: Buffer;
  home: Home;
  /** From and to, in turn. */
  bounds: readonly number[];
}

/** An InferTensorContents as a tensor of this datatype and shape. Throws E_INPUT for what it can't be. */
export function readContents(
  name: string,
  datatype: string,
  shape: readonly number[],
  bytes: Buffer,
): GivenData {
  if (datatype === 'FP16' && bytes.length > 0)
    throw badInput(name, 'can only be FP16 in raw_input_contents', 'contents, which have no field for it');
  const home = Object.hasOwn(HOMES, datatype) ? HOMES[datatype] : undefined;
  // No model takes such a datatype, and who holds it against the model says which one it takes.
  if (home === undefined) return NOTHING;
  const stretches: Stretches = { bytes, home, bounds: findElements(name, datatype, home, bytes) };
  const found = countElements(name, stretches);
  const expected = elementCount(shape);
  if (found !== expected)
    throw refused(name, `its shape [${shape.join(', ')}] needs ${expected} elements`, found);
  if (home.type !== VARINT) return { kind: 'bytes', bytes: joined(stretches) };
  return { kind: 'ready', data: readWholeNumbers(name, datatype as FixedDatatype, stretches, found) };
}

function findElements(name: string, datatype: string, home: Home, bytes: Buffer): number[] {
  const fields = new WireReader(bytes);
  const bounds: number[] = [];
  while (fields.next()) {
    if (fields.number !== home.number)
      throw badInput(
        name,
        `must have its elements in ${home.name}, as it is ${datatype}`,
        NAMES.get(fields.number) ?? `field ${fields.number}`,
      );
    if (fields.type !== DELIMITED) fields.expect(home.type);
    bounds.push(fields.from, fields.to);
  }
  return bounds;
}

const ELEMENT_BYTES: Partial<Record<number, number>> = { [FIXED32]: 4, [FIXED64]: 8 };

function countElements(name: string, { bytes, home, bounds }: Stretches): number {
  if (home.type === DELIMITED) return bounds.length / 2;
  const each = ELEMENT_BYTES[home.type];
  let count = 0;
  for (let at = 0; at < bounds.length; at += 2) {
    const from = bounds[at]!;
    const to = bounds[at + 1]!;
    // Each varint ends with the one byte of it that is below 128.
    if (each === undefined) for (let i = from; i < to; i++) count += bytes[i]! < 0x80 ? 1 : 0;
    else count += (to - from) / each;
  }
  if (Number.isInteger(count)) return count;
  throw refused(name, `${home.name} takes ${each} bytes an element`, 'a part of one more');
}

const LENGTH_BYTES = 4;

/** Floats lie in a message as they lie in raw contents; texts get their lengths in front of them as there. */
function joined({ bytes, home, bounds }: Stretches): Uint8Array {
  const isText = home.type === DELIMITED;
  if (!isText && bounds.length === 2) return bytes.subarray(bounds[0], bounds[1]);
  const whole = Buffer.allocUnsafe(bytes.length + (isText ? (bounds.length / 2) * LENGTH_BYTES : 0));
  let end = 0;
  for (let at = 0; at < bounds.length; at += 2) {
    const from = bounds[at]!;
    const to = bounds[at + 1]!;
    if (isText) end = whole.writeUInt32LE(to - from, end);
    end += bytes.copy(whole, end, from, to);
  }
  return whole.subarray(0, end);
}

/** Of the narrow datatypes that share a wider field; the others can't be out of range. */
const RANGES: Partial<Record<FixedDatatype, readonly [number, number]>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
};

function readWholeNumbers(name: string, datatype: FixedDatatype, stretches: Stretches, count: number) {
  const array = new ARRAYS[datatype](count);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    const halves = new Uint32Array(array.buffer);
    each(stretches, (index, { low, high }) => {
      halves[2 * index] = low;
      halves[2 * index + 1] = high;
    });
    return array;
  }
  const isSigned = datatype.startsWith('INT');
  const [lowest, highest] = RANGES[datatype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  each(stretches, (index, varint) => {
    const value = isSigned
      ? varint.low | 0
      : datatype === 'BOOL'
        ? Number(varint.unsigned !== 0)
        : varint.low;
    if (value < lowest || value > highest)
      throw refusedElement(name, index, `a whole number from ${lowest} to ${highest}`, value);
    array[index] = value;
  });
  return array;
}

function each({ bytes, bounds }: Stretches, take: (index: number, varint: WireReader) => void): void {
  let index = 0;
  for (let at = 0; at < bounds.length; at += 2) {
    const varints = new WireReader(bytes, bounds[at], bounds[at + 1]);
    while (!varints.isAtEnd) {
      varints.varint();
      take(index++, varints);
    }
  }
}
