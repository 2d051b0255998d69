import type { Backend } from '@switchback-ml/schemas';
import type { InferenceInput } from '../../../inference/call.ts';
import { readTensors } from '../tensors/given.ts';
import type { JsonBody, JsonObject } from './body.ts';
import { withExactLongs } from './exact.ts';
import { tensorsOfColumns, tensorsOfRows } from './tensors.ts';

/** The list of rows that stands under this key. Throws E_INPUT. */
export function readRows({ json, exactly }: JsonBody, key: string, backend: Backend): InferenceInput {
  const { signature } = backend;
  const tensors = (from: JsonObject) => tensorsOfRows(from[key] as readonly unknown[], signature);
  return readTensors(
    withExactLongs(tensors(json), signature, () => tensors(exactly())),
    backend,
  );
}

/** The tensor, or tensors by name, that stand under this key. Throws E_INPUT. */
export function readColumns({ json, exactly }: JsonBody, key: string, backend: Backend): InferenceInput {
  const { signature } = backend;
  const tensors = (from: JsonObject) => tensorsOfColumns(from[key], signature);
  return readTensors(
    withExactLongs(tensors(json), signature, () => tensors(exactly())),
    backend,
  );
}
