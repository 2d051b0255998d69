import { isUtf8 } from 'node:buffer';
import type { Datatype } from '@switchback-ml/schemas';
import {
  ARRAYS,
  elementCount,
  type FixedDatatype,
  isFixed,
  type TensorData,
} from '../../../engine/tensor.ts';
import type { SwitchbackError } from '../../../error.ts';
import { refused, refusedElement } from './refusal.ts';

/**
 * Row-major, little-endian bytes without padding → one array in memory. Shares the bytes' memory where they lie as
 * the array needs them, so they may not be changed after. Every bit of a float is kept, NaN included.
 */
export function readBytes(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): TensorData {
  if (datatype === 'BYTES') return readTexts(name, elementCount(shape), bytes);
  const array = ARRAYS[datatype];
  const expected = elementCount(shape) * array.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== expected) throw wrongSize(name, datatype, shape, expected, bytes.byteLength);
  if (datatype === 'BOOL') refuseOtherThanBits(name, bytes);
  return viewOf(datatype, bytes);
}

function viewOf(datatype: FixedDatatype, bytes: Uint8Array): TensorData {
  const array = ARRAYS[datatype];
  const isAligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? bytes : new Uint8Array(bytes);
  return new array(buffer as ArrayBuffer, byteOffset, byteLength / array.BYTES_PER_ELEMENT);
}

function wrongSize(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  expected: number,
  got: number,
): SwitchbackError {
  return refused(name, `${datatype} [${shape.join(', ')}] takes ${expected} bytes`, `${got} bytes`);
}

function refuseOtherThanBits(name: string, bytes: Uint8Array): void {
  const index = bytes.findIndex(byte => byte > 1);
  if (index !== -1) throw refusedElement(name, index, 'a byte that is 0 or 1', bytes[index]);
}

/** The same the other way round; shares memory with a typed array. */
export function bytesOf(data: TensorData): Uint8Array {
  if (isFixed(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const sizes = data.map(text => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + LENGTH_BYTES + size, 0));
  let at = 0;
  for (const [index, text] of data.entries()) {
    at = bytes.writeUInt32LE(sizes[index]!, at);
    at += bytes.write(text, at);
  }
  return bytes;
}

const LENGTH_BYTES = 4;

/** Engines take text, so an element that is no UTF-8 is refused rather than changed. */
function readTexts(name: string, count: number, bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let offset = 0;
  while (offset < buffer.length && texts.length < count) {
    const start = offset + LENGTH_BYTES;
    const end = start > buffer.length ? Number.NaN : start + buffer.readUInt32LE(offset);
    if (!(end <= buffer.length))
      throw refusedElement(name, texts.length, 'a length in 4 bytes, and as many bytes', 'a cut one');
    const text = buffer.subarray(start, end);
    if (!isUtf8(text)) throw refusedElement(name, texts.length, 'text in UTF-8', 'other bytes');
    texts.push(text.toString('utf8'));
    offset = end;
  }
  if (texts.length < count)
    throw refused(name, `its shape needs ${count} elements`, `${texts.length} elements`);
  if (offset < buffer.length)
    throw refused(name, `its ${count} elements take ${offset} bytes`, `${buffer.length} bytes`);
  return texts;
}
