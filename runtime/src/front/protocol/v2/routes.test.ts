import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  InferenceError,
  InferenceResponse,
  ModelMetadata,
  ModelReadiness,
  ModelStatistics,
  RepositoryIndex,
  ServerMetadata,
} from '@switchback-ml/schemas';
import { fastify } from 'fastify';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Inference } from '../../../inference/inference.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../../../runtime.fixture.ts';
import { KEY, ratioBody, ratioVersion } from '../../../serving.fixture.ts';
import { sha256Of } from '../../access.ts';
import { bytesOf } from '../tensors/binary.ts';
import { registerV2, type V2Options } from './routes.ts';

const KEYED = { authorization: `Bearer ${KEY}` };

describe('a runtime', () => {
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture();
  });

  const post = (
    path: string,
    body: string | Uint8Array<ArrayBuffer> = '',
    headers: Record<string, string> = {},
  ) => fetch(runtime.address + path, { method: 'POST', headers: { ...KEYED, ...headers }, body });

  test('describes itself, with and without a slash at the end', async () => {
    await runtime.serve({ label: '1' });

    for (const path of ['/v2', '/v2/']) {
      const metadata = ServerMetadata.parse(await (await runtime.get(path)).json());

      expect(metadata.name).toBe('switchback');
      expect(metadata.extensions).toEqual([
        'binary_tensor_data',
        'classification',
        'model_repository',
        'statistics',
        'model_configuration',
        'schedule_policy',
        'parameters',
      ]);
    }
  });

  test('tells of each model with and without its version, and with a slash at the end', async () => {
    await runtime.serve({ label: '1' }, { label: '2', weight: 0 });

    for (const of of ['', '/versions/1', '/versions/2']) {
      for (const end of ['', '/']) {
        const metadata = await runtime.get(`/v2/models/ratio${of}${end}`);
        const ready = await runtime.get(`/v2/models/ratio${of}/ready${end}`);
        const config = await runtime.get(`/v2/models/ratio${of}/config${end}`);
        const stats = await runtime.get(`/v2/models/ratio${of}/stats${end}`);
        const answer = await post(`/v2/models/ratio${of}/infer${end}`, ratioBody([6], [3]));

        expect(ModelMetadata.parse(await metadata.json()).versions).toEqual(['1', '2']);
        expect(ModelReadiness.parse(await ready.json())).toEqual({ name: 'ratio', ready: true });
        expect(await config.json()).toMatchObject({
          name: 'ratio',
          max_batch_size: 64,
          input: [{ name: 'numerator', data_type: 'TYPE_FP32', dims: [1] }, { name: 'denominator' }],
          output: [{ name: 'ratio', data_type: 'TYPE_FP32', dims: [1] }],
          model_transaction_policy: { decoupled: false },
          response_cache: { enable: false },
        });
        expect(await stats.json()).toMatchObject({
          model_stats: of === '' ? [{}, {}] : [{ version: of.at(-1) }],
        });
        expect(InferenceResponse.parse(await answer.json()).outputs).toMatchObject([
          { name: 'ratio', data: [2] },
        ]);
      }
    }
  });

  test('lists its models, and says nothing to who has no key', async () => {
    await runtime.serve({ label: '1' });

    expect(await (await runtime.get('/v2/models')).json()).toEqual({ models: ['ratio'] });
    const paths = ['/v2/models', '/v2/models/stats', '/v2/models/ratio/config', '/v2/models/ratio/stats'];
    const answers = await Promise.all([
      ...paths.map(path => runtime.get(path, {})),
      ...['index', 'models/ratio/load'].map(path =>
        fetch(`${runtime.address}/v2/repository/${path}`, { method: 'POST' }),
      ),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401]);
  });

  test('answers 404 for a model or version that it does not have, whatever is asked of it', async () => {
    await runtime.serve({ label: '1' });

    for (const what of ['', '/ready', '/config', '/stats'])
      for (const of of ['rotia', 'constructor', 'ratio/versions/9']) {
        const response = await runtime.get(`/v2/models/${of}${what}`);
        expect(response.status).toBe(404);
        expect(InferenceError.parse(await response.json()).code).toBe('E_MODEL_UNKNOWN');
      }
    for (const path of ['generate', 'generate_stream', 'infer_stream'])
      expect((await post(`/v2/models/ratio/${path}`)).status).toBe(404);
  });

  test('indexes every version it holds, ready or not', async () => {
    await runtime.serve({ label: '1' });
    runtime.publish({ label: '1' }, { label: '2', weight: 0, golden: 3 });

    const all = async (body: string) =>
      RepositoryIndex.parse(await (await post('/v2/repository/index', body)).json());

    await expect
      .poll(() => all(''), { timeout: 20_000 })
      .toMatchObject([
        { name: 'ratio', version: '1', state: 'READY', reason: '' },
        { name: 'ratio', version: '2', reason: expect.stringMatching(/^E_/) },
      ]);
    expect(await all('{"ready":true}')).toMatchObject([{ version: '1' }]);
    for (const wrong of ['[]', '{"ready":1}', '{', '1'])
      expect((await post('/v2/repository/index', wrong)).status).toBe(400);
  });

  test('says of a version that is not ready why, by code', async () => {
    await runtime.serve({ label: '1' });
    runtime.publish({ label: '1' }, { label: '2', weight: 0, golden: 3 });

    const look = async () =>
      ModelReadiness.parse(await (await runtime.get('/v2/models/ratio/versions/2/ready')).json());

    await expect
      .poll(look, { timeout: 20_000 })
      .toMatchObject({ ready: false, reasons: [{ code: expect.stringMatching(/^E_/) }] });
    expect((await runtime.get('/v2/models/ratio/versions/2/ready')).status).toBe(503);
  });

  test.each(['load', 'unload'])('refuses to %s a model: git is what says it', async verb => {
    await runtime.serve({ label: '1' });

    const response = await post(`/v2/repository/models/ratio/${verb}`, '{"parameters":{}}');

    expect(response.status).toBe(403);
    const { code, error } = InferenceError.parse(await response.json());
    expect(code).toBe('E_FORBIDDEN');
    expect(error).toContain('environments/<environment>/ratio/release.yaml');
  });

  test('answers binary with binary, over HTTP, also when it came compressed', async () => {
    await runtime.serve({ label: '1' });
    const input = (name: string) => ({
      name,
      datatype: 'FP32',
      shape: [2, 1],
      parameters: { binary_data_size: 8 },
    });
    const head = Buffer.from(
      JSON.stringify({
        id: '7',
        inputs: [input('numerator'), input('denominator')],
        parameters: { binary_data_output: true },
      }),
    );
    const body = Buffer.concat([head, bytesOf(Float32Array.of(6, 1)), bytesOf(Float32Array.of(3, 0))]);
    const length = { 'inference-header-content-length': String(head.length) };

    const plain = await post('/v2/models/ratio/infer', new Uint8Array(body), length);
    const zipped = await post('/v2/models/ratio/infer', new Uint8Array(gzipSync(body)), {
      ...length,
      'content-encoding': 'gzip',
    });

    for (const response of [plain, zipped]) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
      const bytes = Buffer.from(await response.arrayBuffer());
      const end = Number(response.headers.get('inference-header-content-length'));
      const parsed = InferenceResponse.parse(JSON.parse(bytes.toString('utf8', 0, end)));
      expect(parsed).toMatchObject({
        id: '7',
        outputs: [{ parameters: { binary_data_size: 8, non_finite: true } }],
      });
      expect([...bytes.subarray(end)]).toEqual([...bytesOf(Float32Array.of(2, Infinity))]);
    }
  });

  test('H05 a body is held against the same rules whatever its Content-Type says', async () => {
    await runtime.serve({ label: '1' });
    const types = [
      'application/j\tson',
      ' application/json',
      'application/json garbage',
      'APPLICATION/json; Charset=UTF-8',
      'application/json; charset=utf-16',
      'text/html',
      undefined,
    ];

    const statuses = async (body: string): Promise<(number | undefined)[]> =>
      Promise.all(types.map(type => postAs(type, body)));

    expect(await statuses(ratioBody([6], [3]))).toEqual(types.map(() => 200));
    expect(await statuses(ratioBody([6], []))).toEqual(types.map(() => 400));
    expect(await statuses('nonsense')).toEqual(types.map(() => 400));
  });

  test('what it refuses comes with what would have worked', async () => {
    await runtime.serve({ label: '1' });

    for (const wrong of [ratioBody([1, 2], [1]), 'nonsense', '{"inputs":[]}']) {
      const refused = await post('/v2/models/ratio/infer', wrong);
      const { details } = InferenceError.parse(await refused.json());
      const { example } = details as { example: object };
      const again = await post('/v2/models/ratio/infer', JSON.stringify(example));

      expect([refused.status, again.status]).toEqual([400, 200]);
    }
  });

  test('answers the examples of its reference as that says', async () => {
    await runtime.serve({ label: '1.0.0' });
    const page = readFileSync(new URL('../../../../../docs/reference/inference.md', import.meta.url), 'utf8');
    const bodies = [...page.matchAll(/-d '(\{[^']+\})'/g)].map(([, body]) => body!);
    const head = /HEAD='([^']+)'/.exec(page)![1]!;
    const answered = /^\{"model_name".*$/m.exec(page)![0];

    const answers = await Promise.all(bodies.map(body => post('/v2/models/ratio/infer', body)));
    const bytes = Buffer.concat([Buffer.from(head), bytesOf(Float32Array.of(6, 3))]);
    const length = { 'inference-header-content-length': String(head.length) };
    const exact = await post('/v2/models/ratio/infer', new Uint8Array(bytes), length);

    expect([...answers, exact].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await answers[0]!.text()).toBe(answered);
    expect(new Float32Array((await exact.arrayBuffer()).slice(-4))).toEqual(Float32Array.of(2));
  });

  function postAs(type: string | undefined, body: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const headers = { ...KEYED, ...(type !== undefined && { 'content-type': type }) };
      const options = { method: 'POST', headers, agent: false };
      const sent = request(`${runtime.address}/v2/models/ratio/infer`, options, answer => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      sent.on('error', reject).end(body);
    });
  }
});

describe('what it is told of versions', () => {
  const { backend } = ratioVersion({ label: '1' });
  const inference = {
    describe: () => backend,
    versions: () => [backend.version],
    models: () => ['ratio'],
  } as unknown as Inference;

  async function ask(
    path: string,
    more: Pick<V2Options, 'loaded' | 'stats'>,
    method: 'GET' | 'POST' = 'GET',
  ) {
    await using app = fastify();
    const isReady = (): boolean => false;
    const readiness = () => ({ isReady: false, reasons: [] });
    registerV2(app, {
      inference,
      keys: () => [sha256Of(KEY)],
      commit: () => undefined,
      startup: () => ({ isStarted: false, reasons: [] }),
      readiness,
      isReady,
      ...more,
    });
    const { statusCode, body } = await app.inject({ url: path, method, headers: KEYED });
    return { statusCode, body: JSON.parse(body) };
  }

  test.each([
    ['pulling', undefined, 'LOADING', 'E_MODEL_NOT_READY'],
    ['loading', undefined, 'LOADING', 'E_MODEL_NOT_READY'],
    ['failed', { code: 'E_MODEL_GOLDEN', message: 'It answers otherwise.' }, 'UNAVAILABLE', 'E_MODEL_GOLDEN'],
  ] as const)('one that is %s is so in its state and its reasons', async (state, failure, said, code) => {
    const loaded = () => ({ state, ...(failure !== undefined && { failure }) });

    const ready = await ask('/v2/models/ratio/ready', { loaded });
    const index = await ask('/v2/repository/index', { loaded }, 'POST');

    expect(ready).toMatchObject({
      statusCode: 503,
      body: { ready: false, state: said, reasons: [{ code }] },
    });
    expect(index.body).toMatchObject([{ state: said, reason: expect.stringContaining(code) }]);
  });

  test('statistics are what was counted, and nothing is made up', async () => {
    const figures = {
      inference_count: 3,
      inference_stats: { success: { count: 2, ns: 5000 }, fail: { count: 1 } },
    };

    const counted = await ask('/v2/models/stats', { stats: { of: () => figures } });
    const nothing = await ask('/v2/models/ratio/versions/1/stats', { stats: { of: () => undefined } });

    expect(counted.body.model_stats.map((one: unknown) => ModelStatistics.parse(one))).toEqual([
      { name: 'ratio', version: '1', ...figures },
    ]);
    expect(nothing.body).toEqual({ model_stats: [{ name: 'ratio', version: '1' }] });
  });
});
