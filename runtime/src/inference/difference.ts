import { isFixed, type Tensors } from '../engine/tensor.ts';

/**
 * How far two answers to one request are apart: the largest |a - b| / max(|a|, |b|) of any two elements, 0 where all
 * are the same, 1 for texts or signs that differ. A NaN equals a NaN. Null: other names, shapes or kinds of tensors.
 */
export function largestDifference(one: Tensors, other: Tensors): number | null {
  if (one.size !== other.size) return null;
  let largest = 0;
  for (const [name, { data }] of one) {
    const compared = other.get(name)?.data;
    if (compared === undefined || compared.length !== data.length || isFixed(data) !== isFixed(compared))
      return null;
    for (let index = 0; index < data.length; index++)
      largest = Math.max(largest, apart(data[index]!, compared[index]!));
  }
  return largest;
}

function apart(a: number | bigint | string, b: number | bigint | string): number {
  if (a === b || Object.is(a, b)) return 0;
  if (typeof a === 'string' || typeof b === 'string') return 1;
  const [x, y] = [Number(a), Number(b)];
  const scale = Math.max(Math.abs(x), Math.abs(y));
  return Number.isFinite(scale) ? Math.min(1, Math.abs(x - y) / scale) : 1;
}
