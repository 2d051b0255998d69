import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Serving, startServing } from '../clients/serving.fixture.ts';

const WITHIN_MS = 10_000;

interface Description {
  paths: Record<string, Record<'get' | 'post', Operation>>;
  components: { schemas: Record<string, object> };
}
interface Operation {
  operationId: string;
  requestBody?: Content;
  responses: Record<string, Content>;
}
interface Content {
  content?: { 'application/json': { schema: { $ref: string } } };
}

const FILE = fileURLToPath(new URL('./open-inference-rest.openapi.yaml', import.meta.url));
const description = parse(readFileSync(FILE, 'utf8')) as Description;
// What OpenAPI adds to JSON Schema here are examples, which decide nothing.
const ajv = new Ajv({ strict: false, allErrors: true }).addSchema(description, 'description');

/** Each operation of the description: its path, its verb, and what it says of them. */
const operations = Object.entries(description.paths).flatMap(([path, verbs]) =>
  (['get', 'post'] as const)
    .filter(verb => verbs[verb] !== undefined)
    .map(verb => [`${verb} ${path}`, { path, verb, operation: verbs[verb] }] as const),
);

const REQUEST = {
  id: '42',
  parameters: { priority: 1 },
  inputs: [
    { name: 'numerator', shape: [2, 1], datatype: 'FP32', data: [6, 1] },
    { name: 'denominator', shape: [2, 1], datatype: 'FP32', data: [[3], [4]] },
  ],
  outputs: [{ name: 'ratio' }],
};

let serving: Serving;
beforeAll(async () => {
  serving = await startServing();
});
afterAll(() => serving?.[Symbol.asyncDispose]());

test('the description has the operations that this file knows of', () => {
  expect(operations.map(([name]) => name)).toEqual([
    'get /v2/health/live',
    'get /v2/health/ready',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the description writes its parameters so.
    'get /v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}/ready',
    'get /v2/',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above.
    'get /v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above.
    'post /v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}/infer',
  ]);
});

describe('each operation of the published description', () => {
  test.each(operations)('is answered as it says: %s', async (_, { path, verb, operation }) => {
    const { status, body } = await ask(path, verb, REQUEST);

    expect(status).toBe(200);
    expect(faults(operation.responses['200'], body)).toEqual([]);
  });

  const refusing = operations.filter(([, { operation }]) => operation.responses['400'] !== undefined);
  test.each(refusing)('is refused as it says: %s', async (_, { path, verb, operation }) => {
    const { status, body } = await (verb === 'post'
      ? ask(path, verb, { inputs: [] })
      : ask(path, verb, null, ''));

    expect(status).toBe(verb === 'post' ? 400 : 401);
    expect(faults(operation.responses['400'], body)).toEqual([]);
    expect(body).toMatchObject({ error: expect.any(String) });
  });
});

test('a model that is not there is told by the error of its description', async () => {
  const response = await fetch(`${serving.address}/v2/models/nobody/versions/1`, init('get', null));

  expect(response.status).toBe(404);
  expect(faultsOf('metadata_model_error_response', await response.json())).toEqual([]);
});

test('every datatype is described and answered in the terms of the description', async () => {
  const metadata = await (await fetch(`${serving.address}/v2/models/echo`, init('get', null))).json();

  expect(faultsOf('metadata_model_response', metadata)).toEqual([]);
});

test('the request that is sent here is one of the description', () => {
  expect(faultsOf('inference_request', REQUEST)).toEqual([]);
});

test('an answer without its outputs is none of the description', () => {
  const faults = faultsOf('inference_response', { model_name: 'ratio' });

  expect(faults).toEqual([" must have required property 'outputs'"]);
});

// JSON has no such numbers, and the description does not say what to do; docs/reference/inference.md does.
test('what is not finite is null and marked, beyond the description', async () => {
  const zero = { shape: [1, 1], datatype: 'FP32', data: [0] };
  const inputs = REQUEST.inputs.map(({ name }) => ({ name, ...zero }));

  const response = await fetch(`${serving.address}/v2/models/ratio/infer`, init('post', { inputs }));

  expect(await response.json()).toMatchObject({
    outputs: [{ data: [null], parameters: { non_finite: true } }],
  });
});

async function ask(
  path: string,
  verb: 'get' | 'post',
  request: object | null,
  key?: string,
): Promise<{ status: number; body: unknown }> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the description writes its parameters so.
  const named = path.replace('${MODEL_NAME}', 'ratio').replace('${MODEL_VERSION}', '1.0.0');
  const response = await fetch(serving.address + named, init(verb, request, key));
  const { status, headers } = response;
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  return { status, body: await response.json() };
}

function init(verb: 'get' | 'post', request: object | null, key = serving.key): RequestInit {
  return {
    method: verb,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(verb === 'post' && { body: JSON.stringify(request) }),
    signal: AbortSignal.timeout(WITHIN_MS),
  };
}

/** What of it is not as described; nothing where the description says nothing of a body. */
function faults(content: Content | undefined, body: unknown): string[] {
  const schema = content?.content?.['application/json'].schema.$ref;
  return schema === undefined ? [] : faultsOf(schema.split('/').at(-1)!, body);
}

function faultsOf(schema: string, body: unknown): string[] {
  const validate: ValidateFunction = ajv.compile({ $ref: `description#/components/schemas/${schema}` });
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
