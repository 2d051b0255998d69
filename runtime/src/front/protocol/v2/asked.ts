import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../../error.ts';
import { refuseUnknownOutputs } from '../tensors/given.ts';
import type { AskedOutput, Said } from './said.ts';

/** Throws E_INPUT for an output that the model doesn't have, or that can't be had in the form that is asked for. */
export function refuseUnanswerable({ outputs }: Said, backend: Backend): void {
  if (outputs === null) return;
  for (const { name } of outputs)
    if (!Object.hasOwn(backend.signature.outputs, name)) refuseUnknownOutputs([name], backend);
  for (const output of outputs) refuseForm(output, backend.signature.outputs[output.name]!);
}

function refuseForm({ name, classes }: AskedOutput, { datatype }: TensorSpec): void {
  if (classes === 0 || datatype !== 'BYTES') return;
  const expected = 'is BYTES, of which there is no classification';
  throw new SwitchbackError('E_INPUT', `Output "${name}" ${expected}.`, {
    details: { tensor: name, expected, got: 'classification' },
  });
}
