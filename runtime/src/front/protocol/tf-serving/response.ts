import type { Tensors } from '../../../engine/tensor.ts';
import type { Reply } from '../../../inference/call.ts';
import { TextSink } from '../tensors/text/sink.ts';
import { writeNested, writeRow } from './print.ts';

/** Names the outputs that hold a NaN or an infinity, both printed as `null`. */
const NON_FINITE_HEADER = 'x-switchback-non-finite';
/** In a header: clients take a few KiB of them. */
const MOST_NAMES = 20;
const JSON_HEADERS = ['content-type', 'application/json'];

/** Printing is never interrupted, so one is enough. */
const SINK = new TextSink();

/** Whether the strings of the output of this name go as base64. */
type IsBytes = (output: string) => boolean;

/** Under this key the only output as it is, or an object of all of them by name. */
export function printColumns(
  key: string,
  outputs: Tensors,
  nonFinite: readonly string[],
  isBytes: IsBytes,
): Reply {
  SINK.at = 0;
  SINK.ascii(`{"${key}":`);
  if (outputs.size === 1) writeOnly(outputs, isBytes);
  else {
    let separator = '{';
    for (const [name, tensor] of outputs) {
      SINK.ascii(`${separator}${JSON.stringify(name)}:`);
      writeNested(SINK, tensor, isBytes(name));
      separator = ',';
    }
    SINK.ascii('}');
  }
  return takeReply(nonFinite);
}

/** Under this key the only output as it is, or a list of objects of all of them by name, one for each row. */
export function printRows(
  key: string,
  outputs: Tensors,
  nonFinite: readonly string[],
  isBytes: IsBytes,
): Reply {
  SINK.at = 0;
  SINK.ascii(`{"${key}":`);
  if (outputs.size === 1) writeOnly(outputs, isBytes);
  else writeObjects(outputs, isBytes);
  return takeReply(nonFinite);
}

function writeOnly(outputs: Tensors, isBytes: IsBytes): void {
  for (const [name, tensor] of outputs) writeNested(SINK, tensor, isBytes(name));
}

function writeObjects(outputs: Tensors, isBytes: IsBytes): void {
  const columns = [...outputs].map(([name, tensor], index) => ({
    begin: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    tensor,
    asBytes: isBytes(name),
  }));
  const rows = columns[0]?.tensor.shape[0] ?? 0;
  SINK.ascii('[');
  for (let row = 0; row < rows; row++) {
    if (row > 0) SINK.ascii(',');
    for (const { begin, tensor, asBytes } of columns) {
      SINK.ascii(begin);
      writeRow(SINK, tensor, asBytes, row);
    }
    SINK.ascii('}');
  }
  SINK.ascii(']');
}

function takeReply(nonFinite: readonly string[]): Reply {
  SINK.ascii('}');
  const body = SINK.take();
  if (nonFinite.length === 0) return { headers: JSON_HEADERS, body };
  return { headers: [...JSON_HEADERS, NON_FINITE_HEADER, nonFinite.slice(0, MOST_NAMES).join(', ')], body };
}
