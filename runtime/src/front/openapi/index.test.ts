import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend, Signature } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { fastify } from 'fastify';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SwitchbackError } from '../../error.ts';
import type { Golden } from '../../loading/golden.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../../runtime.fixture.ts';
import { eventually, KEY, snapshotOf } from '../../serving.fixture.ts';
import { sha256Of } from '../access.ts';
import { backendOf } from '../protocol/tf-serving/protocol.fixture.ts';
import { registerOpenApi } from './index.ts';
import { modelDocument } from './model-document.ts';
import {
  DATATYPES,
  documentFault,
  goldenOf,
  judgeOf,
  onesEngines,
  onesVersion,
  requestsOf,
  signatures,
} from './openapi.fixture.ts';
import type { Part } from './operation.ts';
import { rowOf } from './row.ts';

const COLUMN: Signature = {
  inputs: { x: { datatype: 'FP32', shape: [-1] } },
  outputs: { y: { datatype: 'FP32', shape: [-1] } },
};
const KEYED = { authorization: `Bearer ${KEY}` };

/** Serves each under a name of its own, and waits until all answer. */
async function serve(runtime: RuntimeFixture, all: readonly Signature[]): Promise<Record<string, Backend>> {
  const models: Record<string, Backend> = {};
  for (const [index, signature] of all.entries()) {
    const { backend, objects } = onesVersion(signature);
    for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
    models[`model-${index}`] = backend;
  }
  const snapshot = snapshotOf(
    Object.fromEntries(Object.entries(models).map(([name, backend]) => [name, [backend]])),
  );
  runtime.controller.publish(snapshot);
  await eventually(async () => {
    const { routes } = await runtime.observe();
    return Object.keys(routes).length === all.length;
  }, 'every model being served');
  return models;
}

/** Sends each example as it stands; each must be answered as the document says. */
async function expectAnswered(runtime: RuntimeFixture, document: Part): Promise<number> {
  const judge = judgeOf(document);
  const requests = requestsOf(document);
  for (const request of requests) {
    const response = await fetch(runtime.address + request.path, {
      method: request.method.toUpperCase(),
      headers: { ...KEYED, 'content-type': request.contentType },
      body: request.body,
    });

    const text = await response.text();
    expect(response.status, `${request.path} ${request.body} ${text}`).toBe(200);
    expect(judge.answer(request, JSON.parse(text)), text).toBeNull();
  }
  return requests.length;
}

describe('a runtime', () => {
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture({ startEngine: onesEngines() });
  });

  const documentAt = async (path: string): Promise<Part> => {
    const response = await runtime.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    return (await response.json()) as Part;
  };

  test('has the golden row of a loaded model for its example, and the answer to it', async () => {
    const runtime = await startRuntimeFixture();
    await runtime.serve({ label: '1.0.0' });

    const document = (await (await runtime.get('/v2/models/ratio/openapi.json')).json()) as {
      paths: Record<
        string,
        { post: { requestBody: { content: object }; responses: Record<string, object> } }
      >;
    };

    const { requestBody, responses } = document.paths['/v2/models/ratio/infer']!.post;
    const example = (value: object) => ({ 'application/json': { examples: { row: { value } } } });
    expect(requestBody.content).toMatchObject(
      example({
        inputs: [
          { name: 'numerator', data: [6] },
          { name: 'denominator', data: [3] },
        ],
      }),
    );
    expect(responses['200']).toMatchObject({ content: example({ outputs: [{ name: 'ratio', data: [2] }] }) });
  });

  test('answers every example of every model as its document says, also those of golden rows', async () => {
    const datatypes = DATATYPES.map((datatype): Signature => {
      const spec = { datatype, shape: [-1, 2] };
      return { inputs: { x: spec }, outputs: { y: spec } };
    });
    // golden.json has no scalars, and a snapshot no tensor called __proto__.
    const isServable = ({ inputs, outputs }: Signature): boolean => {
      const specs = [...Object.entries(inputs), ...Object.entries(outputs)];
      const hasInputs = Object.keys(inputs).length > 0;
      return hasInputs && specs.every(([name, { shape }]) => shape.length > 0 && name !== '__proto__');
    };
    const random = fc.sample(signatures().filter(isServable), { numRuns: 12, seed: 11 });
    const models = await serve(runtime, [...datatypes, ...random]);
    let answered = 0;

    for (const [model, backend] of Object.entries(models)) {
      for (const path of [`/v2/models/${model}`, `/v2/models/${model}/versions/${backend.version}`]) {
        const document = await documentAt(`${path}/openapi.json`);
        expect(await documentFault(document)).toBeNull();
        answered += await expectAnswered(runtime, document);
      }
      const row = rowOf(backend, goldenOf(backend.signature));
      answered += await expectAnswered(runtime, modelDocument({ model, version: null, backend, row }));
    }

    expect(answered).toBeGreaterThan(250);
  });

  test('answers everything else as the documents say', async () => {
    await serve(runtime, [COLUMN]);

    for (const at of ['/openapi.json', '/v2/models/model-0/openapi.json']) {
      const document = await documentAt(at);
      expect(await documentFault(document)).toBeNull();
      await expectAnswered(runtime, document);
      const judge = judgeOf(document);
      const paths = document['paths'] as Record<string, { get?: { responses: object; security?: [] } }>;
      for (const [path, { get }] of Object.entries(paths)) {
        if (get === undefined || path.includes('{')) continue;
        const response = await runtime.get(path, get.security === undefined ? KEYED : {});
        expect(response.status, path).toBe(200);
        const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
        if (isJson) expect(judge.answer({ path, method: 'get' }, await response.json()), path).toBeNull();
        if (get.security === undefined) {
          const refused = await runtime.get(path, {});
          expect(refused.status, path).toBe(401);
        }
      }
    }
  });

  test('says its refusals in the shape that the document gives them', async () => {
    await serve(runtime, [COLUMN]);
    const document = await documentAt('/v2/models/model-0/openapi.json');
    const judge = judgeOf(document);
    const asks = requestsOf(document);

    for (const request of asks) {
      const ask = (headers: object, body: string) =>
        fetch(runtime.address + request.path, {
          method: 'POST',
          headers: { 'content-type': request.contentType, ...headers },
          body,
        });
      for (const response of [await ask(KEYED, '{"inputs": 1}'), await ask({}, request.body)])
        expect(judge.answer(request, await response.json(), response.status), request.path).toBeNull();
    }
    expect(asks.length).toBeGreaterThan(5);
  });

  test('says what there is instead of a model or version that is not there', async () => {
    await serve(runtime, [COLUMN]);

    for (const path of ['/v2/models/none/openapi.json', '/v2/models/model-0/versions/9/openapi.json']) {
      const response = await runtime.get(path);

      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'E_MODEL_UNKNOWN' });
    }
  });
});

describe('documents', () => {
  const inputs = { x: { datatype: 'FP32' as const, shape: [-1, 1] } };
  let golden: Golden | null;
  let described: Backend | SwitchbackError;
  let looked: number;

  beforeEach(() => {
    golden = null;
    described = backendOf(inputs);
    looked = 0;
  });

  async function ask(app: ReturnType<typeof make>, path: string): Promise<string> {
    return (await app.inject({ url: path, headers: KEYED })).body;
  }
  function make() {
    const app = fastify();
    const describe = (): Backend | SwitchbackError => {
      looked++;
      return described;
    };
    registerOpenApi(app, { inference: { describe }, keys: () => [sha256Of(KEY)], golden: () => golden });
    return app;
  }

  test('follow the newest snapshot, and the golden row as soon as it is read', async () => {
    const app = make();
    const first = await ask(app, '/v2/models/a/openapi.json');
    const again = await ask(app, '/v2/models/a/openapi.json');
    golden = goldenOf(backendOf(inputs).signature);
    const withGolden = await ask(app, '/v2/models/a/openapi.json');
    described = backendOf({ z: { datatype: 'BYTES', shape: [-1] } });
    const next = await ask(app, '/v2/models/a/openapi.json');

    expect(again).toBe(first);
    expect(first).toContain('A request of the right shape');
    expect(withGolden).toContain('A golden row');
    expect(next).toContain('"title":"z"');
    expect(looked).toBe(4);
  });

  test('tell models apart that run the very same revision, and a version from its model', async () => {
    const app = make();

    const [one, two, version] = await Promise.all(
      ['a', 'b', 'a/versions/1.0.0'].map(async name =>
        JSON.parse(await ask(app, `/v2/models/${name}/openapi.json`)),
      ),
    );

    expect([one, two, version].map(({ info: { title } }) => title)).toEqual(['a', 'b', 'a 1.0.0']);
    expect(version.servers).toEqual([{ url: '../../../../..' }]);
  });

  test('are for whoever has a key', async () => {
    const app = make();
    const paths = ['/openapi.json', '/v2/models/a/openapi.json', '/v2/models/a/versions/1.0.0/openapi.json'];

    const statuses = await Promise.all(
      paths.map(
        async url => (await app.inject({ url, headers: { authorization: 'Bearer another' } })).statusCode,
      ),
    );

    // Bare Fastify knows no status of ours.
    expect(statuses).toEqual([500, 500, 500]);
    expect(looked).toBe(0);
  });

  test('hold the addresses of one server wherever a gateway puts it', async () => {
    const app = make();

    for (const path of [
      '/openapi.json',
      '/v2/models/a/openapi.json',
      '/v2/models/a/versions/1.0.0/openapi.json',
    ]) {
      const [{ url }] = JSON.parse(await ask(app, path)).servers as [{ url: string }];
      expect(new URL(url, `http://gateway/prod${path}`).href).toBe('http://gateway/prod/');
    }
  });
});

describe('the page', () => {
  test('is open to all, and everything on it comes from beside it and none of it is inline', async () => {
    const runtime = await startRuntimeFixture();

    const page = await runtime.get('/docs/', {});

    const html = await page.text();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self';",
    );
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|https?:|src="\/|href="\//);
    const links = [...html.matchAll(/(?:src|href)="([^":]+)"/g)].map(([, link]) => link!);
    expect(links).toHaveLength(4);
    for (const link of links) {
      const file = await runtime.get(`/docs/${link}`, {});
      expect(file.status).toBe(200);
      expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(500);
      const tag = file.headers.get('etag')!;
      expect((await runtime.get(`/docs/${link}`, { 'if-none-match': tag })).status).toBe(304);
    }
  });

  test('is at an address that ends in a slash, whatever stands before it', async () => {
    const runtime = await startRuntimeFixture();

    const response = await fetch(`${runtime.address}/docs`, { redirect: 'manual' });

    expect([response.status, response.headers.get('location')]).toEqual([302, 'docs/']);
  });

  test.each(['..%2fpage.ts', '%2e%2e/page.ts', 'index.js', 'constructor', 'page.js%00'])(
    'has no file %s',
    async name => {
      const runtime = await startRuntimeFixture();

      expect((await runtime.get(`/docs/${name}`, {})).status).toBe(404);
    },
  );

  test('puts nothing that it is told into itself but as text', async () => {
    const script = await readFile(join(import.meta.dirname, 'page', 'page.js'), 'utf8');

    expect(script).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function|https?:/,
    );
  });
});
