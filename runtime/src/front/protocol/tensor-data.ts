import type { Datatype } from '@switchback-ml/schemas';
import { elementCount, type FixedDatatype, isFixed, makeData, type TensorData } from '../../engine/tensor.ts';
import { SwitchbackError } from '../../error.ts';

/**
 * JSON numbers, flat or nested to the shape, → one array in memory. Nothing is coerced silently: what does not fit
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
  for (let index = 0; index < flat.length; index++) {
    if (isFixed(array)) array[index] = readNumber(name, datatype as FixedDatatype, flat[index], index);
    else array[index] = readString(name, flat[index], index);
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

/** Bounds of the integers that a double holds exactly. */
const INTEGERS: Partial<Record<Datatype, readonly [number, number]>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
};

function readNumber(name: string, datatype: FixedDatatype, value: unknown, index: number): never {
  return readElement(name, datatype, value, index) as never;
}

function readElement(name: string, datatype: FixedDatatype, value: unknown, index: number): number | bigint {
  if (datatype === 'BOOL') {
    if (value === true || value === 1) return 1;
    if (value === false || value === 0) return 0;
    throw refusedElement(name, index, 'true or false', value);
  }
  if (typeof value !== 'number') throw refusedElement(name, index, `a ${datatype} number`, value);
  if (datatype === 'FP32' || datatype === 'FP64') {
    const stored = datatype === 'FP32' ? Math.fround(value) : value;
    if (Number.isFinite(stored)) return stored;
    throw refusedElement(name, index, `a finite ${datatype} number`, value);
  }
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const isExact = Number.isSafeInteger(value) && (datatype === 'INT64' || value >= 0);
    if (isExact) return BigInt(value);
    throw refusedElement(
      name,
      index,
      `a whole ${datatype} number up to 2^53 - 1, as JSON holds no larger one exactly`,
      value,
    );
  }
  const [low, high] = INTEGERS[datatype]!;
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw refusedElement(name, index, `a whole number from ${low} to ${high}`, value);
}

function readString(name: string, value: unknown, index: number): string {
  if (typeof value === 'string') return value;
  throw refusedElement(name, index, 'a string', value);
}

function refusedElement(name: string, index: number, expected: string, got: unknown): SwitchbackError {
  const shown = typeof got === 'number' ? String(got) : (JSON.stringify(got)?.slice(0, 60) ?? 'nothing');
  const message = `Input "${name}": element ${index} must be ${expected}, not ${shown}.`;
  return new SwitchbackError('E_INPUT', message, { details: { tensor: name, index, expected, got: shown } });
}

function refused(name: string, expected: string, got: unknown): SwitchbackError {
  const message = `Input "${name}": ${expected}, not ${got}.`;
  return new SwitchbackError('E_INPUT', message, { details: { tensor: name, expected, got } });
}
