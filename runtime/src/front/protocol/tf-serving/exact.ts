import type { Signature } from '@switchback-ml/schemas';
import type { GivenTensor } from '../tensors/given.ts';

/** `given`, but with the 64-bit integers of `exact` where any of them may have been rounded when it was parsed. */
export function withExactLongs(
  given: readonly GivenTensor[],
  { inputs }: Signature,
  exact: () => readonly GivenTensor[],
): readonly GivenTensor[] {
  const isLong = ({ name }: GivenTensor): boolean => {
    const datatype = Object.hasOwn(inputs, name) ? inputs[name]!.datatype : undefined;
    return datatype === 'INT64' || datatype === 'UINT64';
  };
  if (!given.some(tensor => isLong(tensor) && tensor.data.kind === 'json' && hasUnsafe(tensor.data.values)))
    return given;
  const others = exact();
  return given.map((tensor, index) => (isLong(tensor) ? others[index]! : tensor));
}

function hasUnsafe(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnsafe);
  return typeof value === 'number' && !Number.isSafeInteger(value);
}
