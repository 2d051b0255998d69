import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import type { Tensor } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';
import type { Answer } from '../../../inference/call.ts';
import { isBatchable } from '../../../loading/signature.ts';
import { refuseUnknownOutputs } from '../tensors/given.ts';
import { classify } from './classification.ts';
import type { AskedOutput } from './said.ts';

/** Throws E_INPUT for an output that the model doesn't have, or that can't be had in the form that is asked for. */
export function refuseUnanswerable(asked: readonly AskedOutput[], backend: Backend): void {
  for (const { name } of asked)
    if (!Object.hasOwn(backend.signature.outputs, name)) refuseUnknownOutputs([name], backend);
  for (const output of asked) refuseForm(output, backend.signature.outputs[output.name]!);
}

function refuseForm({ name, classes }: AskedOutput, { datatype }: TensorSpec): void {
  if (classes === 0 || datatype !== 'BYTES') return;
  const expected = 'is BYTES, of which there is no classification';
  throw new SwitchbackError('E_INPUT', `Output "${name}" ${expected}.`, {
    details: { tensor: name, expected, got: 'classification' },
  });
}

/** The output in the form that is asked for; it was not refused. */
export function asAsked({ name, classes }: AskedOutput, { outputs, backend }: Answer): Tensor {
  const tensor = outputs.get(name)!;
  return classes === 0 ? tensor : classify(tensor, classes, isBatchable(backend.signature));
}
