import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import { capacityRows } from '../../../batching/capacity.ts';
import { isBatchable } from '../../../loading/signature.ts';

/** What a revision takes, worked out once. */
export interface Takes {
  /** Of its inputs, in the order of the signature. */
  names: readonly string[];
  /** In the same order. */
  specs: readonly TensorSpec[];
  isBatchable: boolean;
  /** In one request. */
  mostRows: number;
}

const KNOWN = new WeakMap<Backend, Takes>();

export function takesOf(backend: Backend): Takes {
  const known = KNOWN.get(backend);
  if (known !== undefined) return known;
  const { signature, limits } = backend;
  const takes = {
    names: Object.keys(signature.inputs),
    specs: Object.values(signature.inputs),
    isBatchable: isBatchable(signature),
    mostRows: capacityRows(limits),
  };
  KNOWN.set(backend, takes);
  return takes;
}
