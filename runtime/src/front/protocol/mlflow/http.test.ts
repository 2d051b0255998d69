import { beforeEach, describe, expect, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../../../runtime.fixture.ts';
import { KEY } from '../../../serving.fixture.ts';

describe('MLflow scoring over HTTP', () => {
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture();
  });

  const invoke = (
    body: string,
    type: string | null = 'application/json',
    path = '/invocations',
    headers: Record<string, string> = { authorization: `Bearer ${KEY}` },
  ) =>
    fetch(runtime.address + path, {
      method: 'POST',
      headers: { ...headers, ...(type !== null && { 'content-type': type }) },
      // As bytes, so that no content type is made up.
      body: Buffer.from(body),
    });

  test.each([
    ['split', '{"dataframe_split":{"columns":["denominator","numerator"],"data":[[3,6],[4,1]]}}'],
    ['records', '{"dataframe_records":[{"numerator":6,"denominator":3},{"numerator":1,"denominator":4}]}'],
    ['instances', '{"instances":[{"numerator":6,"denominator":3},{"numerator":1,"denominator":4}]}'],
    ['inputs', '{"inputs":{"numerator":[[6],[1]],"denominator":[[3],[4]]},"params":{}}'],
  ])('scores %s, of the only model and of a named one', async (_, body) => {
    const [backend] = await runtime.serve({ label: '1' });

    const answers = await Promise.all(
      ['/invocations', '/models/ratio/invocations', '/models/ratio/versions/1/invocations'].map(path =>
        invoke(body, 'application/json; charset=utf-8', path),
      ),
    );

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-switchback-revision')).toBe(backend!.revision);
      expect(await answer.text()).toBe('{"predictions":[[2.0],[0.25]]}');
    }
  });

  test('scores CSV', async () => {
    await runtime.serve({ label: '1' });

    const answer = await invoke('denominator,numerator\r\n3,6\r\n4,1\r\n', 'text/csv');

    expect(await answer.json()).toEqual({ predictions: [[2], [0.25]] });
  });

  test('refuses in its own shape', async () => {
    await runtime.serve({ label: '1' });
    const good = '{"inputs":{"numerator":[6],"denominator":[3]}}';

    const answers = await Promise.all([
      invoke('{"dataframe_records":[{"numerator":null,"denominator":3}]}'),
      invoke(good, 'application/json', '/models/rotia/invocations'),
      invoke(good, 'text/plain'),
      invoke(good, null),
      invoke(good, 'application/json', '/invocations', {}),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([400, 404, 415, 415, 401]);
    const bodies = await Promise.all(
      answers.map(answer => answer.json() as Promise<Record<string, unknown>>),
    );
    expect(bodies.map(body => body['error_code'])).toEqual([
      'BAD_REQUEST',
      'RESOURCE_DOES_NOT_EXIST',
      'BAD_REQUEST',
      'BAD_REQUEST',
      'UNAUTHENTICATED',
    ]);
    expect(bodies[0]).toMatchObject({ code: 'E_INPUT', details: { row: 0, column: 'numerator' } });
    expect((await runtime.get('/invocations')).status).toBe(405);
  });

  test('is told ready without a key, and not before it is', async () => {
    const before = await Promise.all(['/ping', '/health'].map(path => runtime.get(path, {})));
    await runtime.serve({ label: '1' });
    const after = await Promise.all(['/ping', '/health'].map(path => runtime.get(path, {})));

    expect(before.map(({ status }) => status)).toEqual([503, 503]);
    expect(after.map(({ status }) => status)).toEqual([200, 200]);
    expect(await after[0]!.text()).toBe('');
  });

  test('tells the version of the runtime', async () => {
    const answer = await runtime.get('/version', {});

    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^\d+\.\d+\.\d+/);
  });
});
