import type { Backend } from '@switchback-ml/schemas';
import { isFixed, sliceRows, type Tensor, type Tensors } from '../engine/tensor.ts';
import { DEFAULT_TOLERANCE, goldenPortions, readGolden } from '../loading/golden.ts';
import { isBatchable } from '../loading/signature.ts';

/** What an engine is asked while it is idle, and what it has to answer: golden rows, as few as the graph takes. */
export interface Pulse {
  inputs: Tensors;
  outputs: Tensors;
  tolerance: number;
}

/** Of a verified golden.json. Rejects with E_MODEL_GOLDEN. */
export async function readPulse(path: string, { signature, limits, artifacts }: Backend): Promise<Pulse> {
  const golden = await readGolden(path);
  const [portion = golden] = goldenPortions(golden, signature, limits.maxBatch);
  const tolerance = artifacts['golden.json']?.tolerance ?? DEFAULT_TOLERANCE;
  const tensors = [...portion.inputs.values(), ...portion.outputs.values()];
  const rows = tensors[0]?.shape[0] ?? 0;
  const isDivisible = isBatchable(signature) && rows > 1 && tensors.every(({ shape }) => shape[0] === rows);
  const take = (whole: Tensors): Tensors =>
    new Map([...whole].map(([name, tensor]) => [name, apart(tensor, isDivisible ? 1 : undefined)]));
  return { inputs: take(portion.inputs), outputs: take(portion.outputs), tolerance };
}

/** A copy, so that one row doesn't hold the memory of all. */
function apart(tensor: Tensor, rows = tensor.shape[0] ?? 0): Tensor {
  const { datatype, shape, data } = sliceRows(tensor, 0, rows);
  return { datatype, shape, data: isFixed(data) ? data.slice() : [...data] };
}
