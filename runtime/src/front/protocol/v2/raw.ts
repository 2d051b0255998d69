import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import { ARRAYS } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';
import type { Answer, InferenceInput, Reply } from '../../../inference/call.ts';
import { isBatchable } from '../../../loading/signature.ts';
import { type GivenTensor, readTensors } from '../tensors/given.ts';
import { badInput } from '../tensors/refusal.ts';
import { UnscheduledRequest } from '../unscheduled.ts';
import { printResponse } from './response.ts';

const SAID = { id: undefined, outputs: null, isBinary: true };

/** A body that is nothing but the bytes of the one input, of one row where the model takes rows. */
export class RawRequest extends UnscheduledRequest {
  readonly #body: Buffer;

  constructor(body: Buffer) {
    super();
    this.#body = body;
  }

  read(backend: Backend): InferenceInput {
    return readTensors([rawTensor(this.#body, backend)], backend);
  }

  print(answer: Answer): Reply {
    return printResponse(SAID, answer);
  }
}

function rawTensor(body: Buffer, { signature }: Backend): GivenTensor {
  const inputs = Object.entries(signature.inputs);
  const [name, spec] = inputs[0] ?? ['', undefined];
  if (spec === undefined || inputs.length > 1) {
    const message = `A body without JSON is for models of one input; this one has ${inputs.length}.`;
    throw new SwitchbackError('E_INPUT', message, { details: { expected: 1, got: inputs.length } });
  }
  const shape = isBatchable(signature) ? [1, ...spec.shape.slice(1)] : spec.shape;
  return { name, datatype: null, ...rawData(name, spec, shape, body) };
}

function rawData(
  name: string,
  { datatype }: TensorSpec,
  shape: readonly number[],
  body: Buffer,
): Pick<GivenTensor, 'shape' | 'data'> {
  if (datatype !== 'BYTES')
    return {
      shape: filled(name, shape, body.length / ARRAYS[datatype].BYTES_PER_ELEMENT),
      data: { kind: 'bytes', bytes: body },
    };
  if (shape.some(size => size !== 1 && size !== -1))
    throw badInput(name, 'can only be one element where there is no JSON', `the shape [${shape.join(', ')}]`);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return { shape: shape.map(() => 1), data: { kind: 'bytes', bytes: Buffer.concat([length, body]) } };
}

/** The one dimension that is open follows from how many elements there are. */
function filled(name: string, shape: readonly number[], elements: number): number[] {
  const open = shape.filter(size => size === -1).length;
  if (open > 1)
    throw badInput(name, 'has more than one open dimension: say its shape in JSON', `[${shape.join(', ')}]`);
  const closed = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return shape.map(size => (size === -1 ? Math.floor(elements / closed) : size));
}
