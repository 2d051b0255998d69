import type { Datatype } from '@switchback-ml/schemas';
import {
  elementCount,
  type FixedData,
  isFixed,
  makeData,
  type TensorData,
} from '../../../../engine/tensor.ts';
import { INTEGERS, LARGEST_FLOAT16, LARGEST_FLOAT32 } from '../ranges.ts';
import { scanFloats } from './scan-floats.ts';
import { CLOSE_LIST, COMMA, type JsonScanner, OPEN_LIST } from './scanner.ts';

/** A comma or bracket goes with each element, so an array that is worth making has no more than half as many. */
const FEWEST_BYTES = 2;

/**
 * The list that is next, flat or nested to the shape, written into one array while it is read; null: something in it
 * is unusual or wrong, for which see `readData`.
 */
export function scanData(
  scanner: JsonScanner,
  datatype: Datatype,
  shape: readonly number[],
): TensorData | null {
  const count = elementCount(shape);
  if (!(count > 0 && count * FEWEST_BYTES <= scanner.end - scanner.at)) return null;
  if (!scanner.take(OPEN_LIST)) return null;
  const data = makeData(datatype, count);
  const isNested = scanner.peek() === OPEN_LIST;
  const isRead = isNested
    ? scanLists(scanner, datatype, data, shape, 1, 0, count / shape[0]!)
    : scanElements(scanner, datatype, data, 0, count);
  return isRead ? data : null;
}

/** The rest of a list whose elements are lists of `size` elements in all. */
function scanLists(
  scanner: JsonScanner,
  datatype: Datatype,
  data: FixedData | string[],
  shape: readonly number[],
  depth: number,
  from: number,
  size: number,
): boolean {
  if (depth >= shape.length) return false;
  const lists = shape[depth - 1]!;
  const isLast = depth === shape.length - 1;
  for (let list = 0; list < lists; list++) {
    if (list > 0 && !scanner.take(COMMA)) return false;
    if (!scanner.take(OPEN_LIST)) return false;
    const at = from + list * size;
    const isRead = isLast
      ? scanElements(scanner, datatype, data, at, size)
      : scanLists(scanner, datatype, data, shape, depth + 1, at, size / shape[depth]!);
    if (!isRead) return false;
  }
  return scanner.take(CLOSE_LIST);
}

/** `count` elements and the end of their list. */
function scanElements(
  scanner: JsonScanner,
  datatype: Datatype,
  data: FixedData | string[],
  from: number,
  count: number,
): boolean {
  if (data instanceof Float32Array) return scanFloats(scanner, data, from, count, LARGEST_FLOAT32);
  if (data instanceof Float64Array) return scanFloats(scanner, data, from, count, Number.MAX_VALUE);
  if (!isFixed(data)) return scanStrings(scanner, data, from, count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return scanLongs(scanner, data, from, count);
  if (datatype === 'BOOL') return scanFlags(scanner, data, from, count);
  if (data instanceof Float16Array) return scanHalves(scanner, data, from, count);
  return scanIntegers(scanner, datatype, data, from, count);
}

/** Apart from `scanFloats`, whose loop is as quick as it is for meeting two kinds of arrays only. */
function scanHalves(scanner: JsonScanner, data: Float16Array, from: number, count: number): boolean {
  for (let index = from; index < from + count; index++) {
    if (index > from && !scanner.take(COMMA)) return false;
    const value = scanner.number();
    if (!(Math.abs(value) <= LARGEST_FLOAT16)) return false;
    data[index] = value;
  }
  return scanner.take(CLOSE_LIST);
}

function scanIntegers(
  scanner: JsonScanner,
  datatype: Datatype,
  data: Exclude<FixedData, BigInt64Array | BigUint64Array>,
  from: number,
  count: number,
): boolean {
  const [low, high] = INTEGERS[datatype]!;
  for (let index = from; index < from + count; index++) {
    if (index > from && !scanner.take(COMMA)) return false;
    const value = scanner.number();
    if (!(Number.isInteger(value) && value >= low && value <= high)) return false;
    data[index] = value;
  }
  return scanner.take(CLOSE_LIST);
}

function scanLongs(
  scanner: JsonScanner,
  data: BigInt64Array | BigUint64Array,
  from: number,
  count: number,
): boolean {
  for (let index = from; index < from + count; index++) {
    if (index > from && !scanner.take(COMMA)) return false;
    const value = scanner.integer();
    if (value === null) return false;
    data[index] = value;
    // What does not fit is wrapped by the array.
    if (data[index] !== value) return false;
  }
  return scanner.take(CLOSE_LIST);
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const SMALL_T = TRUE[0];
const SMALL_F = FALSE[0];

function scanFlags(scanner: JsonScanner, data: FixedData, from: number, count: number): boolean {
  for (let index = from; index < from + count; index++) {
    if (index > from && !scanner.take(COMMA)) return false;
    const byte = scanner.peek();
    if (byte === SMALL_T) {
      if (!scanner.literal(TRUE)) return false;
      data[index] = 1;
    } else if (byte === SMALL_F) {
      if (!scanner.literal(FALSE)) return false;
    } else {
      const value = scanner.number();
      if (value !== 0 && value !== 1) return false;
      data[index] = value;
    }
  }
  return scanner.take(CLOSE_LIST);
}

function scanStrings(scanner: JsonScanner, data: string[], from: number, count: number): boolean {
  for (let index = from; index < from + count; index++) {
    if (index > from && !scanner.take(COMMA)) return false;
    const text = scanner.string();
    if (text === null) return false;
    data[index] = text;
  }
  return scanner.take(CLOSE_LIST);
}
