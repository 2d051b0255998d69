import type { Backend } from '@switchback-ml/schemas';
import type { Tensor } from '../../../engine/tensor.ts';
import type { Answer, DecodedRequest, InferenceInput, Message, Reply } from '../../../inference/call.ts';
import { badInput, type GivenTensor, readTensors } from '../../protocol/tensors/given.ts';
import { asAsked, refuseUnanswerable } from '../../protocol/v2/asked.ts';
import { timeoutMsOf } from '../../protocol/v2/parameters.ts';
import { readContents } from './contents.ts';
import { type Fields, readFields } from './fields.ts';
import { printResponse } from './response.ts';
import { malformed } from './wire-reader.ts';

const HEADERS = ['content-type', 'application/grpc'];

/** A ModelInferRequest, its tensors not yet read: what they must be depends on the revision that answers. */
export class GrpcRequest implements DecodedRequest {
  readonly id: string | undefined;
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly #fields: Fields;
  #given: GivenTensor[] | null = null;

  constructor(fields: Fields, timeoutMs: number | null) {
    this.#fields = fields;
    this.id = fields.id || undefined;
    this.timeoutMs = timeoutMs;
    this.priority = fields.priority;
  }

  read(backend: Backend): InferenceInput {
    refuseUnanswerable(this.#fields.outputs, backend);
    this.#given ??= giveTensors(this.#fields);
    return readTensors(this.#given, backend);
  }

  print(answer: Answer): Reply {
    const { id, outputs } = this.#fields;
    const asked: [string, Tensor][] =
      outputs.length === 0
        ? [...answer.outputs]
        : outputs.map(output => [output.name, asAsked(output, answer)]);
    return { headers: HEADERS, body: printResponse(id, asked, answer) };
  }
}

/** Throws E_BODY for what is no ModelInferRequest. */
export function decodeRequest(message: Message): GrpcRequest {
  const fields = readFields(message.body);
  return new GrpcRequest(fields, soonest(deadlineOf(message), timeoutMsOf(fields.timeout)));
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

/** Of the header `grpc-timeout`: digits and a unit, as the transport checked them. In ms; null: none, or 0. */
function deadlineOf(message: Message): number | null {
  const header = message.header('grpc-timeout');
  if (header === undefined) return null;
  const deadlineMs = Number.parseInt(header, 10) * (UNIT_MS[header.at(-1)!] ?? 0);
  return deadlineMs > 0 ? deadlineMs : null;
}

function soonest(first: number | null, second: number | null): number | null {
  return first === null || second === null ? (first ?? second) : Math.min(first, second);
}
