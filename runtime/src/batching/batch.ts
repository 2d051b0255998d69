import { isFixed, makeData, sliceRows, type Tensor, type Tensors } from '../engine/tensor.ts';

/** Puts the rows of all parts under each other. All parts have the same shape key. */
export function joinRows(parts: readonly Tensors[]): Tensors {
  if (parts.length === 1) return parts[0]!;
  const joined = new Map<string, Tensor>();
  for (const name of parts[0]!.keys()) joined.set(name, joinTensors(parts.map(part => part.get(name)!)));
  return joined;
}

function joinTensors(tensors: readonly Tensor[]): Tensor {
  const { datatype, shape } = tensors[0]!;
  let rows = 0;
  let length = 0;
  for (const tensor of tensors) {
    rows += tensor.shape[0]!;
    length += tensor.data.length;
  }
  const joined = makeData(datatype, length);
  let offset = 0;
  for (const { data } of tensors) {
    if (isFixed(joined)) joined.set(data as never, offset);
    else for (let index = 0; index < data.length; index++) joined[offset + index] = data[index] as string;
    offset += data.length;
  }
  return { datatype, shape: [rows, ...shape.slice(1)], data: joined };
}

/** Gives each request its rows; null when an output doesn't have one row for each that went in. */
export function splitRows(outputs: Tensors, rowsOf: readonly number[]): Tensors[] | null {
  if (rowsOf.length === 1) return [outputs];
  const total = rowsOf.reduce((sum, rows) => sum + rows, 0);
  if (!hasRows(outputs, total)) return null;
  let from = 0;
  return rowsOf.map(rows => {
    const to = from + rows;
    const part = rowsFrom(outputs, from, to);
    from = to;
    return part;
  });
}

/** Whether every tensor has so many rows. */
export function hasRows(tensors: Tensors, rows: number): boolean {
  for (const tensor of tensors.values()) if (tensor.shape[0] !== rows) return false;
  return true;
}

/** Rows `from` up to `to` of every tensor. */
export function rowsFrom(tensors: Tensors, from: number, to: number): Tensors {
  const part = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) part.set(name, sliceRows(tensor, from, to));
  return part;
}
