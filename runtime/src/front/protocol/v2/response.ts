import { NON_FINITE_PARAMETER } from '@switchback-ml/schemas';
import type { Tensor } from '../../../engine/tensor.ts';
import type { Answer, Reply } from '../../../inference/call.ts';
import { bytesOf } from '../tensors/binary.ts';
import { writeData } from '../tensors/text/data.ts';
import { TextSink } from '../tensors/text/sink.ts';
import { asAsked } from './asked.ts';
import { HEAD_LENGTH } from './head-length.ts';
import { type Beginnings, beginningsOf } from './printed.ts';
import type { AskedHttpOutput, Said } from './said.ts';

const JSON_HEADERS = ['content-type', 'application/json'];

/** What of a request shapes its answer. */
export type Asked = Pick<Said, 'id' | 'outputs' | 'isBinary'>;

/** Printing is never interrupted, so one is enough. */
const SINK = new TextSink();

/** The protocol's body, written directly: building the object first would cost as much again. */
export function printResponse(asked: Asked, answer: Answer): Reply {
  const beginnings = beginningsOf(answer.backend, answer.model);
  SINK.bytes(beginnings.head);
  if (asked.id !== undefined) {
    SINK.ascii(',"id":');
    SINK.text(JSON.stringify(asked.id));
  }
  SINK.ascii(',"outputs":[');
  const parts =
    asked.outputs === null
      ? printAll(asked.isBinary, answer, beginnings)
      : printAsked(asked.outputs, asked.isBinary, answer, beginnings);
  SINK.ascii(']}');
  return parts === null ? { headers: JSON_HEADERS, body: SINK.take() } : binaryReply(parts);
}

/** The binary ones, in their order; null: there are none. */
type Parts = Uint8Array[] | null;

function printAll(isBinary: boolean, answer: Answer, beginnings: Beginnings): Parts {
  let parts: Parts = null;
  let isFirst = true;
  for (const [name, tensor] of answer.outputs) {
    if (!isFirst) SINK.ascii(',');
    isFirst = false;
    parts = printOutput(name, tensor, isBinary, answer, beginnings, parts);
  }
  return parts;
}

function printAsked(
  outputs: readonly AskedHttpOutput[],
  isBinaryElse: boolean,
  answer: Answer,
  beginnings: Beginnings,
): Parts {
  let parts: Parts = null;
  for (let index = 0; index < outputs.length; index++) {
    const output = outputs[index]!;
    const { name, isBinary = isBinaryElse } = output;
    if (index > 0) SINK.ascii(',');
    parts = printOutput(name, asAsked(output, answer), isBinary, answer, beginnings, parts);
  }
  return parts;
}

/** Adds to `parts` what goes behind the JSON. */
function printOutput(
  name: string,
  { datatype, shape, data }: Tensor,
  isBinary: boolean,
  { nonFinite }: Answer,
  beginnings: Beginnings,
  parts: Parts,
): Parts {
  SINK.bytes(beginnings.output(name));
  for (let index = 0; index < shape.length; index++) {
    if (index > 0) SINK.ascii(',');
    SINK.digits(shape[index]!);
  }
  SINK.ascii('],"datatype":"');
  SINK.ascii(datatype);
  const isNonFinite = nonFinite.length > 0 && nonFinite.includes(name);
  if (isBinary) return printBinary(bytesOf(data), isNonFinite, parts);
  SINK.ascii(isNonFinite ? `","parameters":{"${NON_FINITE_PARAMETER}":true},"data":[` : '","data":[');
  writeData(SINK, datatype, data);
  SINK.ascii(']}');
  return parts;
}

function printBinary(bytes: Uint8Array, isNonFinite: boolean, parts: Parts): Uint8Array[] {
  SINK.ascii('","parameters":{"binary_data_size":');
  SINK.digits(bytes.length);
  SINK.ascii(isNonFinite ? `,"${NON_FINITE_PARAMETER}":true}}` : '}}');
  if (parts === null) return [bytes];
  parts.push(bytes);
  return parts;
}

function binaryReply(parts: readonly Uint8Array[]): Reply {
  let at = SINK.at;
  const headers = ['content-type', 'application/octet-stream', HEAD_LENGTH, String(at)];
  let size = at;
  for (const part of parts) size += part.length;
  const body = SINK.takeBytes(size);
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return { headers, body };
}
