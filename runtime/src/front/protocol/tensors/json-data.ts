import type { Datatype } from '@switchback-ml/schemas';
import {
  elementCount,
  type FixedDatatype,
  isFixed,
  makeData,
  type TensorData,
} from '../../../engine/tensor.ts';
import { INTEGERS, LARGEST_FLOAT16, LONGS } from './ranges.ts';
import { refused, refusedElement } from './refusal.ts';

/**
 * JSON values, flat or nested to the shape, → one array in memory. Nothing is coerced silently: what does not fit
 * its datatype is refused with its index. The array is made only after as many elements were really found.
 */
export function readData(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  data: readonly unknown[],
): TensorData {
  const flat = Array.isArray(data[0]) ? flatten(name, shape, data) : data;
  const expected = elementCount(shape);
  if (flat.length !== expected)
    throw refused(name, `its shape [${shape.join(', ')}] needs ${expected} elements`, flat.length);

  const array = makeData(datatype, expected);
  if (!isFixed(array)) {
    for (let index = 0; index < expected; index++) array[index] = readText(name, flat[index], index);
    return array;
  }
  const read = readerOf(datatype as FixedDatatype);
  for (let index = 0; index < expected; index++) {
    array[index] = read(name, datatype, flat[index], index) as never;
  }
  return array;
}

function flatten(name: string, shape: readonly number[], data: readonly unknown[]): unknown[] {
  let level: readonly unknown[] = data;
  for (const [depth, size] of shape.entries()) {
    const isLast = depth === shape.length - 1;
    const lists = depth === 0 ? [data] : (level as unknown[][]);
    for (const list of lists) {
      if (!Array.isArray(list)) throw refused(name, `nested lists must be ${shape.length} deep`, depth);
      if (list.length !== size) throw refused(name, `dimension ${depth} has ${size} elements`, list.length);
    }
    level = lists.flat(1);
    if (isLast) return [...level];
  }
  return [...level];
}

type ReadElement = (name: string, datatype: Datatype, value: unknown, index: number) => number | bigint;

function readerOf(datatype: FixedDatatype): ReadElement {
  if (datatype === 'BOOL') return readFlag;
  if (datatype === 'FP32' || datatype === 'FP64') return readFloat;
  if (datatype === 'FP16') return readHalf;
  return datatype === 'INT64' || datatype === 'UINT64' ? readLong : readInteger;
}

function readFlag(name: string, _: Datatype, value: unknown, index: number): number {
  if (value === true || value === 1) return 1;
  if (value === false || value === 0) return 0;
  throw refusedElement(name, index, 'true or false', value);
}

function readFloat(name: string, datatype: Datatype, value: unknown, index: number): number {
  if (typeof value !== 'number') throw refusedElement(name, index, `a ${datatype} number`, value);
  const stored = datatype === 'FP32' ? Math.fround(value) : value;
  if (Number.isFinite(stored)) return stored;
  throw refusedElement(name, index, `a finite ${datatype} number`, value);
}

/** Rounded from the double that JSON's readers make of it, as everybody else does. */
function readHalf(name: string, _: Datatype, value: unknown, index: number): number {
  if (typeof value !== 'number') throw refusedElement(name, index, 'a FP16 number', value);
  if (Number.isFinite(Math.f16round(value))) return value;
  throw refusedElement(
    name,
    index,
    `a finite FP16 number, from ${-LARGEST_FLOAT16} to ${LARGEST_FLOAT16}`,
    value,
  );
}

function readInteger(name: string, datatype: Datatype, value: unknown, index: number): number {
  const [low, high] = INTEGERS[datatype]!;
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high)
    return value as number;
  throw refusedElement(name, index, `a whole number from ${low} to ${high}`, value);
}

/** A bigint is an integer whose digits were read one by one; a number may have been rounded on its way. */
function readLong(name: string, datatype: Datatype, value: unknown, index: number): bigint {
  const [low, high] = LONGS[datatype]!;
  const whole =
    typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : null;
  if (whole !== null && whole >= low && whole <= high) return whole;
  const expected = `a whole ${datatype} number from ${low} to ${high}, written without fraction or exponent`;
  throw refusedElement(name, index, expected, value);
}

/** A lone surrogate is no text: no UTF-8 stands for it. */
function readText(name: string, value: unknown, index: number): string {
  if (typeof value !== 'string') throw refusedElement(name, index, 'a string', value);
  if (!value.isWellFormed()) throw refusedElement(name, index, 'a string of whole characters', value);
  return value;
}
