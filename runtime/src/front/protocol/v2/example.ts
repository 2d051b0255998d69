import type { Backend, Datatype, TensorSpec } from '@switchback-ml/schemas';
import { elementCount } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';

const MOST_BYTES = 2048;

/** The smallest request that a model takes, as an object to be sent as JSON. */
export interface Example {
  inputs: readonly { name: string; shape: readonly number[]; datatype: Datatype; data: readonly unknown[] }[];
}

const EXAMPLES = new WeakMap<Backend, Example | null>();

/** Of this revision; null: none would be of a readable length. */
export function exampleOf(backend: Backend): Example | null {
  const known = EXAMPLES.get(backend);
  if (known !== undefined) return known;
  const example = makeExample(backend);
  EXAMPLES.set(backend, example);
  return example;
}

/** The same error, with a body that would have worked; for what a wrong body caused. */
export function withExample(error: SwitchbackError, backend: Backend): SwitchbackError {
  const { code, message, details } = error;
  const isOfBody = code === 'E_INPUT' || code === 'E_BODY';
  const example = isOfBody ? exampleOf(backend) : null;
  return example === null
    ? error
    : new SwitchbackError(code, message, { details: { ...details, example }, cause: error });
}

function makeExample({ signature }: Backend): Example | null {
  const inputs = Object.entries(signature.inputs);
  const elements = inputs.reduce((sum, [, spec]) => sum + elementCount(smallest(spec)), 0);
  // Two characters an element at least: nothing large is made only to be dropped.
  if (elements * 2 > MOST_BYTES) return null;
  const example = { inputs: inputs.map(([name, spec]) => exampleInput(name, spec)) };
  return Buffer.byteLength(JSON.stringify(example)) > MOST_BYTES ? null : example;
}

function exampleInput(name: string, spec: TensorSpec): Example['inputs'][number] {
  const shape = smallest(spec);
  const data = new Array<unknown>(elementCount(shape)).fill(exampleElement(spec.datatype));
  return { name, shape, datatype: spec.datatype, data };
}

function smallest({ shape }: TensorSpec): number[] {
  return shape.map(size => (size === -1 ? 1 : size));
}

function exampleElement(datatype: Datatype): unknown {
  if (datatype === 'BYTES') return 'text';
  return datatype === 'BOOL' ? true : 1;
}
