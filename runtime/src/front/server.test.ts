import { request } from 'node:http';
import { InferenceError, METRICS, OBSERVATION_PATH } from '@switchback-ml/schemas';
import { beforeEach, describe, expect, test } from 'vitest';
import { TOKEN } from '../controller.fixture.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { KEY, ratioBody } from '../serving.fixture.ts';

const ONE = ratioBody([6], [3]);

describe('the front', () => {
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture();
  });

  test('is alive before it is ready, and says what it waits for', async () => {
    expect((await runtime.get('/healthz', {})).status).toBe(200);
    expect(await (await runtime.get('/v2/health/live', {})).json()).toEqual({ live: true });
    const ready = await runtime.get('/v2/health/ready', {});
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ready: false,
      reasons: [{ code: 'E_NO_SNAPSHOT', message: expect.stringContaining('no serving snapshot') }],
    });

    await runtime.serve({ label: '1' });

    expect(await (await runtime.get('/v2/health/ready', {})).json()).toEqual({ ready: true, reasons: [] });
  });

  test('describes itself, a model, and a version of it', async () => {
    const [backend] = await runtime.serve({ label: '1' }, { label: '2', weight: 0 });

    expect(await (await runtime.get('/v2')).json()).toMatchObject({
      name: 'switchback',
      extensions: expect.arrayContaining(['binary_tensor_data']),
    });
    for (const path of ['/v2/models/ratio', '/v2/models/ratio/', '/v2/models/ratio/versions/1']) {
      const response = await runtime.get(path);
      expect(response.headers.get('x-switchback-revision')).toBe(backend!.revision);
      expect(await response.json()).toEqual({
        name: 'ratio',
        versions: ['1', '2'],
        platform: 'onnx_onnxv1',
        inputs: [
          { name: 'numerator', datatype: 'FP32', shape: [-1, 1] },
          { name: 'denominator', datatype: 'FP32', shape: [-1, 1] },
        ],
        outputs: [{ name: 'ratio', datatype: 'FP32', shape: [-1, 1] }],
      });
    }
    expect(await (await runtime.get('/v2/models/ratio/versions/1/ready')).json()).toEqual({
      name: 'ratio',
      ready: true,
    });
  });

  test.each([
    ['no key', {}],
    ['another key', { authorization: 'Bearer wrong' }],
    ['another scheme', { authorization: `Basic ${KEY}` }],
    ['the token of the controller', { authorization: `Bearer ${TOKEN}` }],
  ])('lets nobody in with %s', async (_, headers) => {
    await runtime.serve({ label: '1' });
    const paths = ['/v2', '/v2/models/ratio', '/v2/models/ratio/ready', '/v2/models/ratio/versions/1'];

    const answers = await Promise.all([
      ...paths.map(path => runtime.get(path, headers)),
      fetch(`${runtime.address}/v2/models/ratio/infer`, { method: 'POST', headers, body: ONE }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(InferenceError.parse(await answers[0]!.json()).code).toBe('E_UNAUTHENTICATED');
  });

  test('lets nobody in before it knows a key', async () => {
    expect((await runtime.infer(ONE)).status).toBe(401);
  });

  test('tells its observation to the controller alone', async () => {
    expect((await runtime.get(OBSERVATION_PATH, {})).status).toBe(401);
    expect((await runtime.get(OBSERVATION_PATH)).status).toBe(401);
    expect(await runtime.observe()).toMatchObject({
      environment: 'test',
      snapshot: null,
      loaded: [],
      counts: [],
    });
  });

  test('answers an unknown model or version with what there is', async () => {
    await runtime.serve({ label: '1' });

    const model = await runtime.infer(ONE, '/v2/models/rotia/infer');
    const version = await runtime.infer(ONE, '/v2/models/ratio/versions/9/infer');
    const inherited = await runtime.infer(ONE, '/v2/models/constructor/infer');

    expect([model.status, version.status, inherited.status]).toEqual([404, 404, 404]);
    expect(await model.json()).toMatchObject({ code: 'E_MODEL_UNKNOWN', details: { models: ['ratio'] } });
    expect(await version.json()).toMatchObject({ code: 'E_MODEL_UNKNOWN', details: { versions: ['1'] } });
  });

  test('names the revision also on an error that came of it', async () => {
    const [backend] = await runtime.serve({ label: '1' });

    const response = await runtime.infer(ratioBody([1, 2], [1]));

    expect(response.status).toBe(400);
    expect(response.headers.get('x-switchback-revision')).toBe(backend!.revision);
    expect(InferenceError.parse(await response.json())).toMatchObject({
      code: 'E_INPUT',
      details: { tensor: 'denominator' },
    });
  });

  test('answers errors in one shape, whatever the address or the verb', async () => {
    await runtime.serve({ label: '1' });
    const authorization = `Bearer ${KEY}`;

    const garbled = await runtime.get('/v2/models/%zz');
    const nowhere = await runtime.get('/v3/models');
    const verb = await runtime.get('/v2/models/ratio/infer');
    const deleted = await fetch(`${runtime.address}/v2/models/ratio`, {
      method: 'DELETE',
      headers: { authorization },
    });
    const large = await runtime.infer(' '.repeat(9 * 2 ** 20));
    const binary = await fetch(`${runtime.address}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { authorization, 'inference-header-content-length': '10' },
      body: ONE,
    });

    const answers = [garbled, nowhere, verb, deleted, large, binary];
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 405, 405, 413, 400]);
    expect(verb.headers.get('allow')).toBe('POST');
    const codes = await Promise.all(answers.map(async one => InferenceError.parse(await one.json()).code));
    expect(codes).toEqual(['E_BODY', 'E_NOT_FOUND', 'E_METHOD', 'E_METHOD', 'E_BODY_TOO_LARGE', 'E_BODY']);
  });

  test('takes a body of any content type, or of none, as long as it is one', async () => {
    await runtime.serve({ label: '1' });

    const statuses = await Promise.all(['application/json', 'text/plain', 'nonsense', undefined].map(postAs));

    expect(statuses).toEqual([200, 200, 200, 200]);
    async function postAs(type: string | undefined): Promise<number | undefined> {
      return new Promise((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${KEY}`,
          ...(type !== undefined && { 'content-type': type }),
        };
        const sent = request(
          `${runtime.address}/v2/models/ratio/infer`,
          { method: 'POST', headers, agent: false },
          answer => {
            answer.resume().on('end', () => resolve(answer.statusCode));
          },
        );
        sent.on('error', reject).end(ONE);
      });
    }
  });

  test('shows its metrics to anyone who scrapes', async () => {
    await runtime.serve({ label: '1' });
    await runtime.infer(ONE);
    await runtime.infer(ratioBody([0], [0]));

    const text = await (await runtime.get('/metrics', {})).text();

    expect(text).toContain(`${METRICS.inferenceAttempts}{model="ratio",version="1",outcome="answered"} 1`);
    expect(text).toContain(`${METRICS.inferenceAttempts}{model="ratio",version="1",outcome="non-finite"} 1`);
    expect(text).toContain(`${METRICS.inferenceSeconds}_count{model="ratio",version="1"} 2`);
    expect(text).toContain(`${METRICS.enginesRunning} 1`);
    expect(text).toMatch(new RegExp(`^${METRICS.snapshotAppliedTimestamp} [1-9]`, 'm'));
  });
});
