import { isFixed, type Tensor, type Tensors } from '../engine/tensor.ts';

/**
 * How far two answers to one request are apart: the largest |a - b| / max(|a|, |b|) of any two elements, at most 1. It
 * is 0 where all are the same, and only there; 1 where texts or signs differ, or one of the two is no finite number.
 * Same are also 0 and -0, two NaNs, and numbers of two datatypes that are one as doubles. Null: other names or shapes, or
 * texts against numbers.
 */
export function largestDifference(one: Tensors, other: Tensors): number | null {
  if (one.size !== other.size) return null;
  let largest = 0;
  for (const [name, tensor] of one) {
    const compared = other.get(name);
    if (compared === undefined || !isComparable(tensor, compared)) return null;
    largest = Math.max(largest, apartIn(tensor, compared));
  }
  return largest;
}

function isComparable(one: Tensor, other: Tensor): boolean {
  return (
    isFixed(one.data) === isFixed(other.data) &&
    one.shape.length === other.shape.length &&
    one.shape.every((dimension, index) => dimension === other.shape[index])
  );
}

function apartIn({ data }: Tensor, other: Tensor): number {
  let largest = 0;
  for (let index = 0; index < data.length && largest < 1; index++) {
    const a = data[index]!;
    const b = other.data[index]!;
    if (a !== b) largest = Math.max(largest, apart(a, b));
  }
  return largest;
}

function apart(a: number | bigint | string, b: number | bigint | string): number {
  if (Object.is(a, b)) return 0;
  if (typeof a === 'string' || typeof b === 'string') return 1;
  const x = Number(a);
  const y = Number(b);
  // Neighbours among large whole numbers are one and the same as a float.
  const gap = typeof a === 'bigint' && typeof b === 'bigint' ? Number(a - b) : x - y;
  const scale = Math.max(Math.abs(x), Math.abs(y));
  if (!Number.isFinite(scale)) return 1;
  return scale === 0 ? 0 : Math.min(1, Math.abs(gap) / scale);
}
