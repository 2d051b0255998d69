import type { Tensor } from '../../../engine/tensor.ts';
import { writeData } from '../tensors/text/data.ts';
import { putFloat16 } from '../tensors/text/float16.ts';
import { putAscii, putFloat32 } from '../tensors/text/float32.ts';
import type { TextSink } from '../tensors/text/sink.ts';

const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
/** From here on JavaScript prints whole numbers with an exponent, as no integer is. */
const EXPONENTS_FROM = 1e21;
/** Of one element: its longest text, what makes it a float, and a comma. */
const FLOAT_BYTES = 32;

/** As lists nested to the shape; a scalar where there is none. `asBytes`: strings as base64. */
export function writeNested(sink: TextSink, tensor: Tensor, asBytes: boolean): void {
  writeLevel(sink, tensor, asBytes, 0, 0, tensor.data.length);
}

/** The same, of one element of the first dimension. */
export function writeRow(sink: TextSink, tensor: Tensor, asBytes: boolean, row: number): void {
  const size = tensor.data.length / tensor.shape[0]!;
  writeLevel(sink, tensor, asBytes, 1, row * size, size);
}

/** The `size` elements from `from` on, which are a list of that depth. */
function writeLevel(
  sink: TextSink,
  tensor: Tensor,
  asBytes: boolean,
  depth: number,
  from: number,
  size: number,
): void {
  const length = tensor.shape[depth];
  if (length === undefined) return writeElements(sink, tensor, asBytes, from, from + size);
  sink.ascii('[');
  if (depth === tensor.shape.length - 1) writeElements(sink, tensor, asBytes, from, from + size);
  else
    for (let index = 0; index < length; index++) {
      if (index > 0) sink.ascii(',');
      writeLevel(sink, tensor, asBytes, depth + 1, from + (index * size) / length, size / length);
    }
  sink.ascii(']');
}

function writeElements(
  sink: TextSink,
  { datatype, data }: Tensor,
  asBytes: boolean,
  from: number,
  to: number,
): void {
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Float16Array)
    writeFloats(sink, data, from, to);
  else if (datatype === 'BYTES' && asBytes) writeBase64(sink, data as readonly string[], from, to);
  else writeData(sink, datatype, data, from, to);
}

type Floats = Float16Array | Float32Array | Float64Array;

/** `2.0`, not `2`: for readers that tell the two apart, all elements are of one type. */
function writeFloats(sink: TextSink, data: Floats, from: number, to: number): void {
  const bytes = sink.room((to - from) * FLOAT_BYTES);
  let { at } = sink;
  for (let index = from; index < to; index++) {
    const value = data[index]!;
    if (index > from) bytes[at++] = COMMA;
    if (data instanceof Float32Array) at = putFloat32(bytes, at, value);
    else
      at = data instanceof Float64Array ? putAscii(bytes, at, textOf(value)) : putFloat16(bytes, at, value);
    if (!Number.isInteger(value) || Math.abs(value) >= EXPONENTS_FROM) continue;
    bytes[at++] = POINT;
    bytes[at++] = ZERO;
  }
  sink.at = at;
}

function textOf(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}

function writeBase64(sink: TextSink, texts: readonly string[], from: number, to: number): void {
  for (let index = from; index < to; index++) {
    if (index > from) sink.ascii(',');
    sink.ascii(`{"b64":"${Buffer.from(texts[index]!).toString('base64')}"}`);
  }
}
