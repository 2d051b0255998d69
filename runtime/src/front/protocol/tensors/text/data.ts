import type { Datatype } from '@switchback-ml/schemas';
import type { TensorData } from '../../../../engine/tensor.ts';
import { float16Text, putFloat16 } from './float16.ts';
import { FLOAT32_BYTES, float32Text, putAscii, putFloat32 } from './float32.ts';
import type { TextSink } from './sink.ts';

const COMMA = 0x2c;
/** The longest text of any element that has a fixed size, and its comma. */
const ELEMENT_BYTES = 32;

/**
 * Writes `a,b,c`, the elements `from` up to `to` as JSON: 64-bit integers to the last digit, BOOL as true and false,
 * what is not finite as null.
 */
export function writeData(
  sink: TextSink,
  datatype: Datatype,
  data: TensorData,
  from = 0,
  to = data.length,
): void {
  if (data instanceof Float32Array) return writeFloats32(sink, data, from, to);
  if (datatype === 'BYTES') return writeTexts(sink, data as readonly string[], from, to);
  if (data instanceof Float16Array) return writeFloats16(sink, data, from, to);
  const bytes = sink.room((to - from) * ELEMENT_BYTES);
  let { at } = sink;
  for (let index = from; index < to; index++) {
    if (index > from) bytes[at++] = COMMA;
    at = putAscii(bytes, at, elementText(datatype, data[index] as number | bigint));
  }
  sink.at = at;
}

function writeFloats32(sink: TextSink, data: Float32Array, from: number, to: number): void {
  const bytes = sink.room((to - from) * (FLOAT32_BYTES + 1));
  let { at } = sink;
  for (let index = from; index < to; index++) {
    if (index > from) bytes[at++] = COMMA;
    at = putFloat32(bytes, at, data[index]!);
  }
  sink.at = at;
}

function writeFloats16(sink: TextSink, data: Float16Array, from: number, to: number): void {
  const bytes = sink.room((to - from) * ELEMENT_BYTES);
  let { at } = sink;
  for (let index = from; index < to; index++) {
    if (index > from) bytes[at++] = COMMA;
    at = putFloat16(bytes, at, data[index]!);
  }
  sink.at = at;
}

function writeTexts(sink: TextSink, texts: readonly string[], from: number, to: number): void {
  for (let index = from; index < to; index++) {
    if (index > from) sink.ascii(',');
    sink.text(JSON.stringify(texts[index]));
  }
}

/** Of one element that is no BYTES. */
export function elementText(datatype: Datatype, value: number | bigint): string {
  if (datatype === 'FP32') return float32Text(value as number);
  if (datatype === 'FP16') return float16Text(value as number);
  if (datatype === 'BOOL') return value === 0 ? 'false' : 'true';
  if (typeof value === 'bigint') return value.toString();
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
