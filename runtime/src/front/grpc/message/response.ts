import { NON_FINITE_PARAMETER } from '@switchback-ml/schemas';
import { isFixed, type Tensor, type TensorData } from '../../../engine/tensor.ts';
import type { Answer } from '../../../inference/call.ts';
import { HEAD_BYTES, WireWriter } from './wire-writer.ts';

/**
 * A ModelInferResponse with these outputs, every one in `raw_output_contents`, whichever way the request held its own.
 * An empty `id` is none.
 */
export function printResponse(
  id: string,
  outputs: readonly (readonly [name: string, Tensor])[],
  { model, backend, nonFinite }: Pick<Answer, 'model' | 'backend' | 'nonFinite'>,
): Buffer {
  const raw = outputs.map(([, { data }]) => rawOf(data));
  const writer = new WireWriter(
    outputs.reduce(
      (sum, [name, tensor], index) => sum + mostBytesOf(name, tensor, raw[index]!),
      mostBytes(model) + mostBytes(backend.version) + mostBytes(id),
    ),
  );
  for (let index = outputs.length - 1; index >= 0; index--) writer.bytes(6, raw[index]!);
  for (let index = outputs.length - 1; index >= 0; index--) {
    const [name, tensor] = outputs[index]!;
    writeOutput(writer, name, tensor, nonFinite.includes(name));
  }
  if (id !== '') writer.text(3, id);
  writer.text(2, backend.version);
  writer.text(1, model);
  return writer.finish();
}

function writeOutput(
  writer: WireWriter,
  name: string,
  { datatype, shape }: Tensor,
  isNonFinite: boolean,
): void {
  const since = writer.written;
  if (isNonFinite) writer.bytes(4, NON_FINITE);
  writer.numbers(3, shape);
  writer.text(2, datatype);
  writer.text(1, name);
  writer.close(5, since);
}

/** Entry of a map of parameters: `non_finite`, bool_param, true. */
const NON_FINITE = ((): Buffer => {
  const writer = new WireWriter(NON_FINITE_PARAMETER.length + 3 * HEAD_BYTES);
  writer.bytes(2, Buffer.of(0x08, 1));
  writer.text(1, NON_FINITE_PARAMETER);
  return writer.finish();
})();

const MOST_BYTES_A_CHAR = 3;
const DATATYPE_BYTES = 8;

function mostBytes(text: string): number {
  return text.length * MOST_BYTES_A_CHAR + HEAD_BYTES;
}

function mostBytesOf(name: string, { shape }: Tensor, raw: Uint8Array): number {
  const heads = 5 * HEAD_BYTES + DATATYPE_BYTES + NON_FINITE.length;
  return mostBytes(name) + raw.length + shape.length * HEAD_BYTES + heads;
}

/** Row-major and little-endian, as typed arrays are on every machine that this runs on. */
function rawOf(data: TensorData): Uint8Array {
  return isFixed(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : rawTexts(data);
}

const LENGTH_BYTES = 4;

function rawTexts(texts: readonly string[]): Buffer {
  const size = texts.reduce((sum, text) => sum + LENGTH_BYTES + Buffer.byteLength(text), 0);
  const raw = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const length = raw.write(text, at + LENGTH_BYTES, 'utf8');
    raw.writeUInt32LE(length, at);
    at += LENGTH_BYTES + length;
  }
  return raw;
}
