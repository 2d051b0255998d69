import type { Backend } from '@switchback-ml/schemas';
import type { Tensor } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';
import type { Answer, DecodedRequest, InferenceInput, Message, Reply } from '../../../inference/call.ts';
import { isBatchable } from '../../../loading/signature.ts';
import {
  badInput,
  type GivenTensor,
  readTensors,
  refuseUnknownOutputs,
} from '../../protocol/tensors/given.ts';
import { classify } from '../../protocol/v2/classification.ts';
import { readContents } from './contents.ts';
import { type Fields, readFields } from './fields.ts';
import { printResponse } from './response.ts';
import { malformed } from './wire-reader.ts';

const HEADERS = ['content-type', 'application/grpc'];

/** A ModelInferRequest, its tensors not yet read: what they must be depends on the revision that answers. */
export class GrpcRequest implements DecodedRequest {
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly #fields: Fields;
  #given: GivenTensor[] | null = null;

  constructor(fields: Fields, timeoutMs: number | null) {
    this.#fields = fields;
    this.timeoutMs = timeoutMs;
    this.priority = fields.priority;
  }

  read(backend: Backend): InferenceInput {
    refuseUnanswerable(this.#fields, backend);
    this.#given ??= giveTensors(this.#fields);
    return readTensors(this.#given, backend);
  }

  print(answer: Answer): Reply {
    const { id, outputs } = this.#fields;
    const asked: [string, Tensor][] =
      outputs.length === 0
        ? [...answer.outputs]
        : outputs.map(({ name, classes }) => [name, asAsked(name, classes, answer)]);
    return { headers: HEADERS, body: printResponse(id, asked, answer) };
  }
}

/** Throws E_BODY for what is no ModelInferRequest. */
export function decodeRequest(message: Message): GrpcRequest {
  const fields = readFields(message.body);
  return new GrpcRequest(fields, soonest(deadlineOf(message), fields.timeout / 1000));
}

function refuseUnanswerable({ outputs }: Fields, backend: Backend): void {
  for (const { name, classes } of outputs) {
    if (!Object.hasOwn(backend.signature.outputs, name)) refuseUnknownOutputs([name], backend);
    const { datatype } = backend.signature.outputs[name]!;
    if (classes > 0 && datatype === 'BYTES')
      throw new SwitchbackError('E_INPUT', `Output "${name}" is BYTES, of which there is no classification.`);
  }
}

function asAsked(name: string, classes: number, { outputs, backend }: Answer): Tensor {
  const tensor = outputs.get(name)!;
  return classes === 0 ? tensor : classify(tensor, classes, isBatchable(backend.signature));
}

function giveTensors({ inputs, raw }: Fields): GivenTensor[] {
  if (raw.length > 0 && raw.length !== inputs.length)
    throw malformed(`it has ${inputs.length} inputs and ${raw.length} raw_input_contents`);
  return inputs.map(({ name, datatype, shape, contents }, index) => {
    const bytes = raw[index];
    if (bytes === undefined)
      return { name, datatype, shape, data: readContents(name, datatype, shape, contents ?? EMPTY) };
    if (contents === null) return { name, datatype, shape, data: { kind: 'bytes', bytes } };
    throw badInput(name, 'must have its data once', 'both contents and raw_input_contents');
  });
}

const EMPTY = Buffer.alloc(0);

const UNIT_MS: Partial<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Of the header `grpc-timeout`: digits and a unit, as the transport checked them. In ms; 0: none. */
function deadlineOf(message: Message): number {
  const header = message.header('grpc-timeout');
  if (header === undefined) return 0;
  return Number.parseInt(header, 10) * (UNIT_MS[header.at(-1)!] ?? 0);
}

function soonest(first: number, second: number): number | null {
  if (first > 0 && second > 0) return Math.min(first, second);
  return first > 0 ? first : second > 0 ? second : null;
}
