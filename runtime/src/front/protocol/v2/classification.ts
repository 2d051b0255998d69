import type { Tensor } from '../../../engine/tensor.ts';
import { elementText } from '../tensors/text/data.ts';

/** The `most` highest elements of each row, highest first, as BYTES `score:index`. A NaN comes last. */
export function classify(tensor: Tensor, most: number, isBatchable: boolean): Tensor {
  const { datatype, data, shape } = tensor;
  const rows = isBatchable ? shape[0]! : 1;
  const width = data.length / rows;
  const classes = Math.min(most, width);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    for (const index of highest(data as ArrayLike<number>, from, width).slice(0, classes))
      texts.push(`${elementText(datatype, data[from + index] as number)}:${index}`);
  }
  return { datatype: 'BYTES', shape: isBatchable ? [rows, classes] : [classes], data: texts };
}

/** Indices within a row; equal ones in their order. */
function highest(data: ArrayLike<number>, from: number, width: number): number[] {
  const at = (index: number): number => data[from + index]!;
  const indices = Array.from({ length: width }, (_, index) => index);
  return indices.sort((a, b) => {
    if (Number.isNaN(at(a)) || Number.isNaN(at(b)))
      return Number(Number.isNaN(at(a))) - Number(Number.isNaN(at(b)));
    return at(a) === at(b) ? a - b : at(a) > at(b) ? -1 : 1;
  });
}
