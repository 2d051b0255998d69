import { isUtf8 } from 'node:buffer';
import { type Backend, InferenceRequest, RequestInput, type TensorSpec } from '@switchback-ml/schemas';
import { elementCount, type Tensor, type Tensors } from '../../engine/tensor.ts';
import { SwitchbackError } from '../../error.ts';
import { isBatchable } from '../../loading/signature.ts';
import { nearestName } from './nearest.ts';
import { readData } from './tensor-data.ts';

/** The protocol's body, its tensors not yet read: what they must be depends on the revision that answers. */
export interface V2Request {
  id?: string | undefined;
  inputs: readonly RequestInput[];
  /** Names of the outputs asked for; null: all. */
  outputs: readonly string[] | null;
}

// A tensor's elements are checked one by one as they are read; running over them twice would double the cost.
const Envelope = InferenceRequest.omit({ inputs: true });
const InputHead = RequestInput.omit({ data: true });
const MOST_INPUTS = 1000;

/** Bytes → request. Throws E_BODY for what is no request at all, E_INPUT for an input that is none. */
export function parseRequest(body: unknown): V2Request {
  const json = parseJson(body);
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) throw badBody(issueOf(envelope.error));
  const inputs = (json as { inputs?: unknown }).inputs;
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MOST_INPUTS)
    throw badBody(`"inputs" must be a list of 1 to ${MOST_INPUTS} tensors`);
  return {
    id: envelope.data.id,
    inputs: inputs.map(parseInput),
    outputs: envelope.data.outputs?.map(({ name }) => name) ?? null,
  };
}

function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) throw badBody('it is empty');
  if (!isUtf8(body)) throw badBody('it is not UTF-8');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw badBody('it is not JSON');
  }
}

function parseInput(json: unknown, index: number): RequestInput {
  const head = InputHead.safeParse(json);
  if (!head.success) throw badBody(`inputs[${index}]: ${issueOf(head.error)}`);
  const { name, parameters } = head.data;
  if (parameters?.['binary_data_size'] !== undefined)
    throw badInput(name, 'must come as JSON in "data": binary tensors are not supported', 'binary_data_size');
  const { data } = json as { data?: unknown };
  if (!Array.isArray(data)) throw badInput(name, 'needs "data", a list of its elements', typeof data);
  return { ...head.data, data };
}

/** Reads the request for one backend: every input that it takes, as it takes it. */
export function readTensors(request: V2Request, backend: Backend): { inputs: Tensors; rows: number } {
  const { signature, limits } = backend;
  const known = Object.keys(signature.inputs);
  const tensors = new Map<string, Tensor>();
  for (const input of request.inputs) {
    const spec = Object.hasOwn(signature.inputs, input.name) ? signature.inputs[input.name] : undefined;
    if (spec === undefined) throw unknownName('input', input.name, known);
    if (tensors.has(input.name)) throw badInput(input.name, 'must be there once', 'twice');
    tensors.set(input.name, readTensor(input, spec));
  }
  const missing = known.find(name => !tensors.has(name));
  if (missing !== undefined) throw badInput(missing, 'is missing', 'nothing');
  refuseUnknownOutputs(request, Object.keys(signature.outputs));
  // In the signature's order, so that requests that differ in nothing else share a batch.
  const inputs = new Map(known.map(name => [name, tensors.get(name)!]));
  return { inputs, rows: isBatchable(signature) ? commonRows(inputs, limits.maxBatch) : 1 };
}

function readTensor({ name, datatype, shape, data }: RequestInput, spec: TensorSpec): Tensor {
  if (datatype === 'FP16')
    throw badInput(
      name,
      'can not be FP16, which has no form in JSON: send FP32 to a model that takes it',
      datatype,
    );
  if (datatype !== spec.datatype) throw badInput(name, `must be ${spec.datatype}`, datatype);
  const fits =
    shape.length === spec.shape.length &&
    shape.every(
      (size, i) =>
        Number.isSafeInteger(size) && size >= 0 && (spec.shape[i] === -1 || spec.shape[i] === size),
    );
  if (!fits) throw badInput(name, `must have the shape [${spec.shape.join(', ')}]`, `[${shape.join(', ')}]`);
  if (!Number.isSafeInteger(elementCount(shape)) || elementCount(shape) === 0)
    throw badInput(name, 'must have at least one element', `shape [${shape.join(', ')}]`);
  return { datatype: spec.datatype, shape, data: readData(name, spec.datatype, shape, data) };
}

function commonRows(inputs: Tensors, maxBatch: number): number {
  const [[first, tensor] = ['', undefined], ...others] = inputs;
  const rows = tensor?.shape[0] ?? 1;
  const other = others.find(([, { shape }]) => shape[0] !== rows);
  if (other !== undefined)
    throw badInput(other[0], `must have ${rows} rows, as "${first}" has`, `${other[1].shape[0]} rows`);
  if (rows > maxBatch)
    throw badInput(
      first,
      `may have at most ${maxBatch} rows in one request (limits.maxBatch)`,
      `${rows} rows`,
    );
  return rows;
}

function refuseUnknownOutputs({ outputs }: V2Request, known: readonly string[]): void {
  const unknown = outputs?.find(name => !known.includes(name));
  if (unknown !== undefined) throw unknownName('output', unknown, known);
}

function unknownName(kind: 'input' | 'output', name: string, known: readonly string[]): SwitchbackError {
  const nearest = nearestName(name, known);
  const hint = nearest === null ? `it has ${known.join(', ')}` : `did you mean "${nearest}"?`;
  const shown = JSON.stringify(name.slice(0, 100));
  return new SwitchbackError('E_INPUT', `The model has no ${kind} ${shown}: ${hint}`, {
    details: {
      tensor: name.slice(0, 100),
      expected: known,
      got: name.slice(0, 100),
      ...(nearest !== null && { nearest }),
    },
  });
}

function badInput(tensor: string, expected: string, got: string): SwitchbackError {
  const message = `Input "${tensor.slice(0, 100)}" ${expected}; got ${got}.`;
  return new SwitchbackError('E_INPUT', message, {
    details: { tensor: tensor.slice(0, 100), expected, got },
  });
}

function badBody(why: string): SwitchbackError {
  return new SwitchbackError('E_BODY', `The body is no inference request: ${why}.`);
}

function issueOf(error: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  return path === '' ? `${issue?.message}` : `"${path}": ${issue?.message}`;
}
