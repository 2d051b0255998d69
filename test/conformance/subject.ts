import { sampleOf } from './sample.ts';
import type { Answer, Server } from './server.ts';
import {
  answerFault,
  type InferAnswer,
  type InferRequest,
  isObject,
  isStrings,
  type Tensor,
  tensorFault,
} from './v2.ts';

/** What is checked, and what was learnt of it first. */
export interface Subject {
  server: Server;
  model: string;
  /** That is asked for by name; null: the server chooses. */
  version: string | null;
  /** `/v2/models/M` or `/v2/models/M/versions/V` */
  path: string;
  /** Declared, or assumed on request. */
  extensions: ReadonlySet<string>;
  /** As the metadata tell them; empty where they do not. */
  inputs: readonly Tensor[];
  outputs: readonly Tensor[];
  versions: readonly string[];
  /** Null: there is nothing to make one from. */
  sample: InferRequest | null;
  /** What the sample got; null: it was not answered. */
  answered: InferAnswer | null;
  /** Whatever came back to the sample. */
  reply: Answer | null;
  isKeyed: boolean;
}

export interface Sampled extends Subject {
  sample: InferRequest;
  answered: InferAnswer;
}

export interface SubjectOptions {
  server: Server;
  model: string | null;
  version: string | null;
  /** Sent as it is instead of one made from the metadata. */
  request: InferRequest | null;
  assume: readonly string[];
  isKeyed: boolean;
}

/** Asks for the model's metadata, and for one inference. Throws an Error with a sentence where no model was named and none can be found. */
export async function learn(options: SubjectOptions): Promise<Subject> {
  const { server, version, isKeyed } = options;
  const model = options.model ?? (await onlyModel(server));
  const path = pathOf(model, version);
  const [about, metadata] = [(await server.ask('/v2')).json, (await server.ask(path)).json];
  const declared = isObject(about) && isStrings(about['extensions']) ? about['extensions'] : [];
  const inputs = tensorsIn(metadata, 'inputs');
  const sample = options.request ?? (inputs.length > 0 ? sampleOf(inputs) : null);
  const reply = sample === null ? null : await infer({ server, path }, sample);
  const isAnswered = reply !== null && reply.status === 200 && answerFault(reply.json) === null;
  return {
    server,
    model,
    version,
    path,
    extensions: new Set([...declared, ...options.assume]),
    inputs,
    outputs: tensorsIn(metadata, 'outputs'),
    versions: isObject(metadata) && isStrings(metadata['versions']) ? metadata['versions'] : [],
    sample,
    answered: isAnswered ? (reply.json as InferAnswer) : null,
    reply,
    isKeyed,
  };
}

/** `/v2/models/M` or `/v2/models/M/versions/V`, whatever stands in the names. */
export function pathOf(model: string, version: string | null): string {
  const at = `/v2/models/${encodeURIComponent(model)}`;
  return version === null ? at : `${at}/versions/${encodeURIComponent(version)}`;
}

/** In JSON, to the version that is checked. */
export function infer({ server, path }: Pick<Subject, 'server' | 'path'>, request: object): Promise<Answer> {
  return server.ask(`${path}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
}

async function onlyModel(server: Server): Promise<string> {
  const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const { json } = await server.ask('/v2/repository/index', body);
  const names = new Set(
    (Array.isArray(json) ? json : []).map(entry => String(isObject(entry) && entry['name'])),
  );
  const [first] = names;
  if (names.size === 1 && first !== undefined) return first;
  const there = names.size === 0 ? 'the server lists none' : `there is ${[...names].join(', ')}`;
  throw new Error(`say which model with --model: ${there}`);
}

function tensorsIn(metadata: unknown, kind: 'inputs' | 'outputs'): Tensor[] {
  const tensors = isObject(metadata) ? metadata[kind] : undefined;
  if (!Array.isArray(tensors)) return [];
  return tensors.filter((tensor): tensor is Tensor => tensorFault(tensor) === null);
}
