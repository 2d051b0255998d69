import { isFixed, makeData, sliceRows, type Tensor, type Tensors } from '../engine/tensor.ts';

/** What the machine needs to know of a request that waits for an engine. */
export interface Waiting {
  rows: number;
  /** Requests of the same shape key may share a batch; null goes alone. */
  shapeKey: string | null;
}

/**
 * Takes the batch to run next: the oldest request, and with it, in order, those that fit. A request with more rows
 * than `maxRows` goes alone.
 */
export function nextBatch<Request extends Waiting>(
  waiting: readonly Request[],
  maxRows: number,
): { batch: Request[]; rest: Request[] } {
  const batch: Request[] = [];
  const rest: Request[] = [];
  let rows = 0;
  for (const request of waiting) {
    const isFirst = batch.length === 0;
    const isAlike = !isFirst && request.shapeKey !== null && request.shapeKey === batch[0]!.shapeKey;
    if (isFirst || (isAlike && rows + request.rows <= maxRows)) {
      batch.push(request);
      rows += request.rows;
    } else {
      rest.push(request);
    }
  }
  return { batch, rest };
}

/** Equal for inputs that can be put under each other: same tensors, types and shapes beyond the first dimension. */
export function shapeKeyOf(inputs: Tensors): string {
  let key = '';
  for (const [name, tensor] of inputs) key += `${name} ${tensor.datatype} ${tensor.shape.slice(1).join()};`;
  return key;
}

/** Puts the rows of all parts under each other. All parts have the same shape key. */
export function joinRows(parts: readonly Tensors[]): Tensors {
  if (parts.length === 1) return parts[0]!;
  return new Map([...parts[0]!.keys()].map(name => [name, joinTensors(parts.map(part => part.get(name)!))]));
}

function joinTensors(tensors: readonly Tensor[]): Tensor {
  const { datatype, shape } = tensors[0]!;
  const rows = tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
  const joined = makeData(
    datatype,
    tensors.reduce((sum, tensor) => sum + tensor.data.length, 0),
  );
  let offset = 0;
  for (const { data } of tensors) {
    if (isFixed(joined)) joined.set(data as never, offset);
    else joined.splice(offset, data.length, ...(data as readonly string[]));
    offset += data.length;
  }
  return { datatype, shape: [rows, ...shape.slice(1)], data: joined };
}

/** Gives each request its rows; null when an output doesn't have one row for each that went in. */
export function splitRows(outputs: Tensors, rowsOf: readonly number[]): Tensors[] | null {
  if (rowsOf.length === 1) return [outputs];
  const total = rowsOf.reduce((sum, rows) => sum + rows, 0);
  if ([...outputs.values()].some(tensor => tensor.shape[0] !== total)) return null;
  let from = 0;
  return rowsOf.map(rows => {
    const to = from + rows;
    const part = new Map([...outputs].map(([name, tensor]) => [name, sliceRows(tensor, from, to)]));
    from = to;
    return part;
  });
}
