import { beforeEach, describe, expect, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../../../runtime.fixture.ts';
import { KEY } from '../../../serving.fixture.ts';

describe('TensorFlow Serving over HTTP', () => {
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture();
  });

  const predict = (body: object, path = '/v1/models/ratio:predict') =>
    runtime.infer(JSON.stringify(body), path);

  test('predicts by rows and by columns, of the routed version and of a named one', async () => {
    const [backend] = await runtime.serve({ label: '1' });
    const instances = [
      { numerator: [6], denominator: [3] },
      { numerator: [1], denominator: [4] },
    ];

    const rows = await predict({ instances });
    const columns = await predict(
      { inputs: { numerator: [6, 1], denominator: [3, 4] } },
      '/v1/models/ratio/versions/1:predict',
    );

    expect(rows.headers.get('content-type')).toBe('application/json');
    expect(rows.headers.get('x-switchback-revision')).toBe(backend!.revision);
    expect(await rows.text()).toBe('{"predictions":[[2.0],[0.25]]}');
    expect(await columns.text()).toBe('{"outputs":[[2.0],[0.25]]}');
  });

  test('says which outputs hold what JSON has no number for', async () => {
    await runtime.serve({ label: '1' });

    const answer = await predict({ instances: [{ numerator: 0, denominator: 0 }] });

    expect(answer.headers.get('x-switchback-non-finite')).toBe('ratio');
    expect(await answer.json()).toEqual({ predictions: [[null]] });
  });

  test('refuses in its own shape', async () => {
    await runtime.serve({ label: '1' });

    const bad = await predict({ instances: [{ numerator: 1 }] });
    const nobody = await predict({ instances: [1] }, '/v1/models/rotia:predict');
    const regress = await predict({ examples: [] }, '/v1/models/ratio:regress');
    const keyless = await fetch(`${runtime.address}/v1/models/ratio:predict`, { method: 'POST', body: '{}' });
    const got = await runtime.get('/v1/models/ratio:predict');

    const answers = [bad, nobody, regress, keyless, got];
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 404, 401, 405]);
    const bodies = await Promise.all(
      answers.map(answer => answer.json() as Promise<Record<string, unknown>>),
    );
    expect(bodies.map(body => body['code'])).toEqual([
      'E_INPUT',
      'E_MODEL_UNKNOWN',
      'E_NOT_FOUND',
      'E_UNAUTHENTICATED',
      'E_METHOD',
    ]);
    expect(bodies.every(body => typeof body['error'] === 'string')).toBe(true);
    expect(got.headers.get('allow')).toBe('POST');
  });

  test('lists models, the states of their versions, and what they take', async () => {
    const [backend] = await runtime.serve({ label: '1' }, { label: '2', weight: 0 });
    const available = (version: string) => ({
      version,
      state: 'AVAILABLE',
      status: { error_code: 'OK', error_message: '' },
    });

    expect(await (await runtime.get('/v1/models')).json()).toEqual({ models: ['ratio'] });
    expect(await (await runtime.get('/v1/models/ratio')).json()).toEqual({
      name: 'ratio',
      ready: true,
      model_version_status: [available('1'), available('2')],
    });
    expect(await (await runtime.get('/v1/models/ratio/versions/2')).json()).toEqual({
      name: 'ratio',
      ready: true,
      model_version_status: [available('2')],
    });
    const metadata = await runtime.get('/v1/models/ratio/metadata');
    expect(metadata.headers.get('x-switchback-revision')).toBe(backend!.revision);
    expect(await metadata.json()).toMatchObject({ model_spec: { name: 'ratio', version: '1' } });
    expect((await runtime.get('/v1/models/ratio/versions/9')).status).toBe(404);
  });

  test('lets nobody in without a key', async () => {
    await runtime.serve({ label: '1' });

    const paths = [
      '/v1/models',
      '/v1/models/ratio',
      '/v1/models/ratio/metadata',
      '/v1/models/ratio/versions/1',
    ];
    const answers = await Promise.all(paths.map(path => runtime.get(path, {})));

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect((await runtime.get('/v1/models', { authorization: `Bearer ${KEY}` })).status).toBe(200);
  });
});
