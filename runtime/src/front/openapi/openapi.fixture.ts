import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import {
  ArtifactDigest,
  type Backend,
  Datatype,
  RevisionId,
  Signature,
  type TensorSpec,
} from '@switchback-ml/schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { StartEngine } from '../../engine/engine.ts';
import { scriptedEngine } from '../../engine/scripted.fixture.ts';
import { elementCount, isFixed, makeData, type Tensor, type Tensors } from '../../engine/tensor.ts';
import type { Golden } from '../../loading/golden.ts';
import { ratioVersion, sha256 } from '../../serving.fixture.ts';
import type { Part } from './operation.ts';

export const DATATYPES: readonly Datatype[] = Datatype.options;

/** Names that are markup, code or property of every object in somebody's eyes. */
const HOSTILE = [
  '__proto__',
  'constructor',
  'toString',
  '<img/src=x/onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '[x](javascript:alert(1))',
  '`**__|&lt;',
  '{model}',
  '#/~1~0',
  '",\'\\',
  'x'.repeat(200),
];

/** Of models with rows, and of models without. */
export function signatures(): fc.Arbitrary<Signature> {
  const name = fc.oneof(fc.constantFrom(...HOSTILE), fc.stringMatching(/^[\x21-\x7e]{1,12}$/));
  const datatype = fc.constantFrom(...DATATYPES);
  const rest = fc.array(fc.constantFrom(-1, 1, 2, 3), { maxLength: 3 });
  const specs = (shape: fc.Arbitrary<number[]>, minKeys: number) =>
    fc.dictionary(name, fc.record({ datatype, shape }), { minKeys, maxKeys: 4, noNullPrototype: true });
  const rows = rest.map(shape => [-1, ...shape]);
  return fc.oneof(
    fc.record({ inputs: specs(rows, 1), outputs: specs(rows, 1) }),
    fc.record({ inputs: specs(rest, 0), outputs: specs(rest, 1) }),
  );
}

/** A revision of that signature, and the objects that its artifacts are, for `onesEngines`. */
export function onesVersion(signature: Signature): { backend: Backend; objects: Map<string, Uint8Array> } {
  const model = Buffer.from(JSON.stringify({ signature }));
  const { backend, objects } = ratioVersion({ model, signature });
  const golden = Buffer.from(JSON.stringify(goldenJson(signature)));
  const artifacts = {
    ...backend.artifacts,
    'golden.json': {
      ...backend.artifacts['golden.json']!,
      sha256: ArtifactDigest.parse(sha256(golden)),
      size: golden.length,
    },
  };
  const id = sha256(model);
  const revision = RevisionId.parse(`${id.slice(0, 12)}-${id.slice(12, 20)}`);
  return {
    backend: { ...backend, revision, signature, artifacts },
    objects: new Map([...objects, [sha256(golden), golden]]),
  };
}

/** One row of ones, texts and truths, and the same as the answer. */
export function goldenOf({ inputs, outputs }: Signature): Golden {
  return { inputs: ones(inputs, 1), outputs: ones(outputs, 1) };
}

function goldenJson(signature: Signature): object {
  const { inputs, outputs } = goldenOf(signature);
  const plain = (tensors: Tensors): object =>
    Object.fromEntries(
      [...tensors].map(([name, { datatype, shape, data }]) => [
        name,
        {
          datatype,
          shape,
          data: Array.from<unknown>(data).map(one => (typeof one === 'bigint' ? Number(one) : one)),
        },
      ]),
    );
  return { inputs: plain(inputs), outputs: plain(outputs) };
}

/** Engines whose model is `{signature}` and answers ones, as many rows as it was asked. */
export function onesEngines(): StartEngine {
  return async () => {
    const engine = scriptedEngine();
    let signature: Signature = { inputs: {}, outputs: {} };
    engine.load = async ({ path }) => {
      signature = Signature.parse(
        (JSON.parse(await readFile(path, 'utf8')) as { signature: unknown }).signature,
      );
      return signature;
    };
    engine.onInfer = async inputs => ones(signature.outputs, [...inputs.values()][0]?.shape[0] ?? 1);
    return engine;
  };
}

function ones(specs: Record<string, TensorSpec>, rows: number): Tensors {
  return new Map(Object.entries(specs).map(([name, spec]) => [name, onesTensor(spec, rows)]));
}

function onesTensor({ datatype, shape: dimensions }: TensorSpec, rows: number): Tensor {
  const shape = dimensions.map((size, index) => (size === -1 ? (index === 0 ? rows : 1) : size));
  const data = makeData(datatype, elementCount(shape));
  if (!isFixed(data)) return { datatype, shape, data: data.fill('a "text", of two words') };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n);
  else data.fill(1);
  return { datatype, shape, data };
}

/** What is wrong with a document as OpenAPI 3.1; null: nothing. */
export async function documentFault(document: Part): Promise<string | null> {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  return valid ? null : JSON.stringify(errors);
}

/** One request that a document gives as an example. */
export interface DocumentedRequest {
  path: string;
  method: string;
  contentType: string;
  /** As it is sent. */
  body: string;
  value: unknown;
  /** What the document says that it is answered; undefined: it doesn't say. */
  answer: unknown;
}

interface Content {
  [type: string]: { examples?: Record<string, { value: unknown }> };
}
interface Operation {
  requestBody?: { content: Content };
  responses: { 200?: { content: Content } };
}

export function requestsOf(document: Part): DocumentedRequest[] {
  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody, responses }]) =>
      Object.entries(requestBody?.content ?? {}).flatMap(([contentType, { examples = {} }]) =>
        Object.entries(examples).map(([form, { value }]) => ({
          path,
          method,
          contentType,
          body: typeof value === 'string' ? value : JSON.stringify(value),
          value,
          answer: responses[200]?.content['application/json']?.examples?.[form]?.value,
        })),
      ),
    ),
  );
}

/** Judges values by the schemas of a document: what is wrong, or null. */
export function judgeOf(document: Part): {
  request(of: DocumentedRequest): string | null;
  answer(of: Pick<DocumentedRequest, 'path' | 'method'>, value: unknown, status?: number): string | null;
} {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'document');
  const judge = (segments: readonly string[], value: unknown): string | null => {
    const pointer = segments
      .map(one => encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = ajv.getSchema(`document#/${pointer}`);
    if (validate === undefined) throw new Error(`the document has no schema at ${pointer}`);
    return validate(value) === true ? null : JSON.stringify(validate.errors);
  };
  return {
    request: ({ path, method, contentType, value }) =>
      judge(['paths', path, method, 'requestBody', 'content', contentType, 'schema'], value),
    answer: ({ path, method }, value, status = 200) =>
      judge(
        ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'],
        value,
      ),
  };
}
