import type { Backend, Fallback, VersionLabel } from '@switchback-ml/schemas';
import { isFixed, makeData, type Tensor, type Tensors } from '../engine/tensor.ts';
import type { DecodedRequest, Reply } from './call.ts';

/** In the place of a version, and in a header: what answers is the route's declared answer. */
export const FALLBACK = 'fallback' as VersionLabel;

/** The declared answer, once for each row that was asked about; null where its outputs are not those of the model. */
export function fallbackReply(
  model: string,
  request: DecodedRequest,
  failed: Backend,
  { outputs: declared }: Fallback,
  rows: number,
): Reply | null {
  const outputs = new Map<string, Tensor>();
  for (const [name, { datatype, shape }] of Object.entries(failed.signature.outputs)) {
    const row = declared[name];
    if (row === undefined) return null;
    const data = makeData(datatype, row.length * rows);
    for (let index = 0; index < data.length; index++) {
      const value = row[index % row.length]!;
      if (isFixed(data)) (data as { [index: number]: unknown })[index] = asElement(data, value);
      else data[index] = String(value);
    }
    outputs.set(name, { datatype, shape: shapeOf(shape, row.length, rows), data });
  }
  return request.print({
    model,
    backend: { ...failed, version: FALLBACK },
    outputs: outputs as Tensors,
    nonFinite: [],
  });
}

function asElement(data: object, value: number | string): number | bigint {
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(value) : Number(value);
}

/** The first dimension is the row; an open one besides takes what is left. */
function shapeOf(shape: readonly number[], perRow: number, rows: number): number[] {
  const [, ...rest] = shape;
  const fixed = rest.filter(size => size > 0).reduce((product, size) => product * size, 1);
  return [rows, ...rest.map(size => (size === -1 ? perRow / fixed : size))];
}
