import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../../error.ts';
import { refuseUnknownOutputs } from '../tensors/given.ts';
import type { AskedOutput, Said } from './said.ts';

/** Throws E_INPUT for an output that the model doesn't have, or that can't be had in the form that is asked for. */
export function refuseUnanswerable({ outputs, isBinary }: Said, backend: Backend): void {
  if (outputs === null) {
    const half = isBinary ? null : halfOutput(backend);
    if (half !== null) throw noJson(half);
    return;
  }
  for (const { name } of outputs)
    if (!Object.hasOwn(backend.signature.outputs, name)) refuseUnknownOutputs([name], backend);
  for (const output of outputs) refuseForm(output, backend.signature.outputs[output.name]!, isBinary);
}

function refuseForm(output: AskedOutput, { datatype }: TensorSpec, isBinaryElse: boolean): void {
  const { name, classes, isBinary = isBinaryElse } = output;
  if (classes > 0 && (datatype === 'BYTES' || datatype === 'FP16'))
    throw badOutput(name, `is ${datatype}, of which there is no classification`, 'classification');
  if (classes === 0 && datatype === 'FP16' && !isBinary) throw noJson(name);
}

function noJson(name: string): SwitchbackError {
  return badOutput(name, 'is FP16, which has no form in JSON: ask for it with "binary_data": true', 'JSON');
}

function badOutput(name: string, expected: string, got: string): SwitchbackError {
  return new SwitchbackError('E_INPUT', `Output "${name}" ${expected}.`, {
    details: { tensor: name, expected, got },
  });
}

const HALF_OUTPUTS = new WeakMap<Backend, string | null>();

/** Name of an output that has no form in JSON; null when there is none. */
function halfOutput(backend: Backend): string | null {
  const known = HALF_OUTPUTS.get(backend);
  if (known !== undefined) return known;
  const outputs = Object.entries(backend.signature.outputs);
  const half = outputs.find(([, { datatype }]) => datatype === 'FP16')?.[0] ?? null;
  HALF_OUTPUTS.set(backend, half);
  return half;
}
