import type { Backend } from '@switchback-ml/schemas';
import type { Tensor } from '../../engine/tensor.ts';
import type { Golden } from '../../loading/golden.ts';
import { elementText } from '../protocol/tensors/text/data.ts';
import { exampleOf } from '../protocol/v2/example.ts';

/** One input as JSON can have it, flat and row-major. */
export interface RowInput {
  name: string;
  datatype: string;
  shape: readonly number[];
  data: readonly unknown[];
}

/** What examples are made of: a row of each input, or as few as the graph takes. */
export interface Row {
  inputs: readonly RowInput[];
  /** What the model answers to them; null: nobody has said. */
  golden: Golden | null;
}

const MOST_BYTES = 16 * 1024;

/** The golden row, else one that is made up of ones; null: neither is of a readable length. */
export function rowOf(backend: Backend, golden: Golden | null): Row | null {
  const inputs = golden === null ? null : goldenInputs(golden);
  if (inputs !== null) return { inputs, golden };
  const example = exampleOf(backend);
  return example === null ? null : { inputs: example.inputs, golden: null };
}

/** Null: JSON can't have them to the last digit, or they are too many. */
function goldenInputs({ inputs }: Golden): RowInput[] | null {
  const elements = [...inputs.values()].reduce((sum, { data }) => sum + data.length, 0);
  // Two characters an element at least: nothing large is made only to be dropped.
  if (elements * 2 > MOST_BYTES) return null;
  const row = [...inputs].map(([name, tensor]) => ({
    name,
    datatype: tensor.datatype,
    shape: tensor.shape,
    data: Array.from<number | bigint | string>(tensor.data).map(element => plain(tensor, element)),
  }));
  const isExact = row.every(({ data }) => data.every(element => element !== null));
  return isExact && Buffer.byteLength(JSON.stringify(row)) <= MOST_BYTES ? row : null;
}

/** As few digits as read back as the same; null for what is not finite, or a whole number beyond 2^53. */
function plain({ datatype }: Tensor, element: number | bigint | string): unknown {
  if (typeof element === 'string') return element;
  const value: unknown = JSON.parse(elementText(datatype, element));
  const isRounded = typeof element === 'bigint' && !Number.isSafeInteger(value);
  return isRounded ? null : value;
}

/** Lists nested to the shape; a bare element where there are no dimensions. */
export function nested({ shape, data }: Pick<RowInput, 'shape' | 'data'>): unknown {
  return shape.reduceRight<readonly unknown[]>(
    (elements, size) =>
      Array.from({ length: size === 0 ? 0 : elements.length / size }, (_, index) =>
        elements.slice(index * size, (index + 1) * size),
      ),
    data,
  )[0];
}
