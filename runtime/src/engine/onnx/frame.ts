import type { Datatype } from '@switchback-ml/schemas';
import { ARRAYS, isFixed, type Tensor, type TensorData, type Tensors } from '../tensor.ts';

/*
 * One frame: u32 length of what follows, u32 length of the head, the head as JSON, then the bytes of the tensors
 * that the head lists, in its order, with no padding. Little-endian throughout, as every machine with a build of
 * the engine is.
 */
const PREFIX_BYTES = 8;
const LARGEST_FRAME_BYTES = 256 * 2 ** 20;

export type Command = { kind: 'load'; path: string } | { kind: 'infer'; tensors: readonly TensorHead[] };
export type Reply =
  | { kind: 'started' }
  | { kind: 'loaded'; signature: unknown }
  | { kind: 'inferred'; tensors: readonly TensorHead[] }
  /** By preflight, in its own words: nothing was opened. */
  | { kind: 'refused'; message: string }
  | { kind: 'failed'; code: 'E_MODEL_LOAD' | 'E_ENGINE_MEMORY' | 'E_INTERNAL'; message: string };

export interface TensorHead {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  bytes: number;
}
export interface Frame<Head> {
  head: Head;
  body: Buffer;
}

/** The chunks of one frame, to be written one after the other. */
export function encodeFrame(head: Command | Reply, parts: readonly Uint8Array[] = []): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(head));
  const bodyBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32LE(4 + text.length + bodyBytes, 0);
  prefix.writeUInt32LE(text.length, 4);
  return [Buffer.concat([prefix, text]), ...parts];
}

/** Collects chunks and gives back whole frames. Throws on a length that no honest peer sends. */
export function frameReader<Head>(): (chunk: Buffer) => Frame<Head>[] {
  let chunks: Buffer[] = [];
  let held = 0;

  return chunk => {
    chunks.push(chunk);
    held += chunk.length;
    const frames: Frame<Head>[] = [];
    while (held >= PREFIX_BYTES) {
      const buffer = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks = [buffer];
      const length = buffer.readUInt32LE(0);
      if (length > LARGEST_FRAME_BYTES || length < 4) throw new RangeError(`frame of ${length} bytes`);
      if (held < 4 + length) break;
      frames.push(decodeFrame(buffer.subarray(4, 4 + length)));
      chunks = [buffer.subarray(4 + length)];
      held -= 4 + length;
    }
    return frames;
  };
}

function decodeFrame<Head>(buffer: Buffer): Frame<Head> {
  const headBytes = buffer.readUInt32LE(0);
  if (headBytes > buffer.length - 4) throw new RangeError(`head of ${headBytes} bytes in a shorter frame`);
  return {
    head: JSON.parse(buffer.toString('utf8', 4, 4 + headBytes)) as Head,
    body: buffer.subarray(4 + headBytes),
  };
}

export function packTensors(tensors: Tensors): { tensors: TensorHead[]; parts: Uint8Array[] } {
  const heads: TensorHead[] = [];
  const parts: Uint8Array[] = [];
  for (const [name, { datatype, shape, data }] of tensors) {
    const part = isFixed(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : packStrings(data);
    heads.push({ name, datatype, shape, bytes: part.byteLength });
    parts.push(part);
  }
  return { tensors: heads, parts };
}

export function unpackTensors(heads: readonly TensorHead[], body: Buffer): Tensors {
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const { name, datatype, shape, bytes } of heads) {
    const part = body.subarray(offset, offset + bytes);
    if (part.length !== bytes) throw new RangeError(`tensor ${name} is cut short`);
    tensors.set(name, { datatype, shape, data: unpackData(datatype, part) });
    offset += bytes;
  }
  return tensors;
}

/** Copies: a typed array needs alignment, and the frame's memory is larger than one tensor. */
function unpackData(datatype: Datatype, part: Buffer): TensorData {
  if (datatype === 'BYTES') return unpackStrings(part);
  return new ARRAYS[datatype](new Uint8Array(part).buffer);
}

function packStrings(strings: readonly string[]): Uint8Array {
  const parts = strings.flatMap(text => {
    const bytes = Buffer.from(text);
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}

function unpackStrings(part: Buffer): string[] {
  const strings: string[] = [];
  for (let offset = 0; offset < part.length; ) {
    const end = offset + 4 > part.length ? Number.NaN : offset + 4 + part.readUInt32LE(offset);
    if (!(end <= part.length)) throw new RangeError('a string is cut short');
    strings.push(part.toString('utf8', offset + 4, end));
    offset = end;
  }
  return strings;
}
