import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { gunzipSync, inflateSync } from 'node:zlib';
import type { ModelName } from '@switchback-ml/schemas';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, KEY, ratioBody, snapshotOf } from '../serving.fixture.ts';
import { acceptedOf, FROM_BYTES } from './accept-encoding.ts';
import { compressed } from './compression.ts';
import type { HttpAnswer } from './protocol/http.ts';

const TEXT = ['content-type', 'application/json'];
const BINARY = ['content-type', 'application/octet-stream', 'inference-header-content-length', '40'];
const large: HttpAnswer = { status: 200, headers: TEXT, body: '0.5,'.repeat(FROM_BYTES) };

const compress = (answer: HttpAnswer, header: string | undefined) => compressed(answer, acceptedOf(header));
const VARY = ['vary', 'accept-encoding'];

describe('compressing an answer', () => {
  test.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('by %s gives what was there before', async (coding, decode) => {
    const { status, headers, body } = await compress(large, coding);

    expect({ status, headers }).toEqual({
      status: 200,
      headers: [...TEXT, ...VARY, 'content-encoding', coding],
    });
    expect(decode(body as Buffer).toString()).toBe(large.body);
  });

  test('leaves it to whoever takes none, and says that it might have been otherwise', async () => {
    expect(await compress(large, undefined)).toEqual({ ...large, headers: [...TEXT, ...VARY] });
  });

  test('leaves what would not get shorter', async () => {
    const noise = { status: 200, headers: TEXT, body: randomBytes(FROM_BYTES) };

    expect(await compress(noise, 'gzip')).toEqual({ ...noise, headers: [...TEXT, ...VARY] });
  });

  test('leaves tensors in binary but for who asks for one coding, and tells the same length of their JSON', async () => {
    const tensors = { status: 200, headers: BINARY, body: Buffer.alloc(FROM_BYTES) };

    const out = await Promise.all([compress(tensors, 'gzip, deflate'), compress(tensors, 'gzip')]);

    expect(out.map(({ headers }) => headers)).toEqual([
      [...BINARY, ...VARY],
      [...BINARY, ...VARY, 'content-encoding', 'gzip'],
    ]);
    expect(gunzipSync(out[1]!.body as Buffer)).toEqual(tensors.body);
  });

  test('takes a refusal of identity at its word, also where that makes it longer, but for short errors', async () => {
    const short = { status: 200, headers: TEXT, body: '{}' };

    const out = await compress(short, 'gzip, identity;q=0');

    expect(gunzipSync(out.body as Buffer).toString()).toBe('{}');
    expect(await compress({ ...short, status: 400 }, 'gzip, identity;q=0')).toEqual({
      ...short,
      status: 400,
    });
  });
});

describe('a runtime', () => {
  const count = 8000;
  const body = ratioBody(
    Array.from({ length: count }, (_, index) => index),
    Array.from({ length: count }, () => 7),
  );
  let runtime: RuntimeFixture;
  beforeEach(async () => {
    runtime = await startRuntimeFixture();
    await runtime.serve({ label: '1', limits: { queueRows: count } });
  });

  interface Answer {
    status: number;
    headers: IncomingHttpHeaders;
    body: Buffer;
  }

  /** The answer as it came over the wire. `isWhole`: the body's length is said before, as the lane wants it. */
  async function ask(
    headers: Record<string, string>,
    options: { isWhole?: boolean; body?: string } = {},
  ): Promise<Answer> {
    const sent = request(`${runtime.address}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, ...headers },
      agent: false,
    });
    if (options.isWhole === false) sent.flushHeaders();
    sent.end(options.body ?? body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks = (await answer.toArray()) as Buffer[];
    return { status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) };
  }

  test.each([
    ['by the lane', true],
    ['by the door', false],
  ])('compresses a long answer that went %s, and leaves a short one', async (_, isWhole) => {
    const plain = await ask({}, { isWhole });
    const packed = await ask({ 'accept-encoding': 'gzip, deflate' }, { isWhole });
    const inflated = await ask({ 'accept-encoding': 'deflate' }, { isWhole });
    const short = await ask({ 'accept-encoding': 'gzip, deflate' }, { isWhole, body: ratioBody([6], [3]) });

    expect([plain, packed, inflated, short].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([plain, packed, inflated, short].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      'gzip',
      'deflate',
      undefined,
    ]);
    expect(plain.headers['vary']).toBe('accept-encoding');
    expect(short.headers['vary']).toBeUndefined();
    expect(packed.headers['content-length']).toBe(String(packed.body.length));
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
    expect(gunzipSync(packed.body)).toEqual(plain.body);
    expect(inflateSync(inflated.body)).toEqual(plain.body);
  });

  test('goes on with the requests that wait on a connection behind one that is being compressed', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const asked = [body, ratioBody([6], [3]), body].map(async one => {
      const sent = request(`${runtime.address}/v2/models/ratio/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'accept-encoding': 'gzip' },
        agent,
      });
      sent.end(one);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      await answer.toArray();
      return answer.headers['content-encoding'];
    });

    expect(await Promise.all(asked)).toEqual(['gzip', undefined, 'gzip']);
  });

  test('remembers an answer as it is, for those who take it compressed and those who do not', async () => {
    const [backend] = runtime.publish({ label: '2', limits: { queueRows: count } });
    const cached = { ...backend!, cache: { forMs: 60_000, bytes: 2 ** 20 } };
    const snapshot = snapshotOf({ ratio: [cached] });
    runtime.controller.publish(snapshot);
    await eventually(
      async () => (await runtime.observe()).routes['ratio' as ModelName]?.generation === snapshot.generation,
      'the cache',
    );

    const first = await ask({ 'accept-encoding': 'gzip' });
    const second = await ask({});
    const third = await ask({ 'accept-encoding': 'gzip' });

    expect([first, second, third].map(({ headers }) => headers['x-switchback-from'])).toEqual([
      undefined,
      'memory',
      'memory',
    ]);
    expect(gunzipSync(first.body)).toEqual(second.body);
    expect(gunzipSync(third.body)).toEqual(second.body);
  });

  test('counts the JSON before tensors in binary as it was before it was compressed', async () => {
    const wanted = JSON.stringify({ ...JSON.parse(body), parameters: { binary_data_output: true } });

    const { headers, body: packed } = await ask({ 'accept-encoding': 'gzip' }, { body: wanted });

    expect(headers['content-encoding']).toBe('gzip');
    const whole = gunzipSync(packed);
    const length = Number(headers['inference-header-content-length']);
    const head = JSON.parse(whole.subarray(0, length).toString());
    expect(head.outputs[0].parameters.binary_data_size).toBe(whole.length - length);
    expect(whole.readFloatLE(length + 4 * 14)).toBe(2);
  });

  test('compresses what is no inference by the same rule', async () => {
    const answers = await Promise.all(
      ['gzip', 'identity'].map(coding =>
        runtime.get('/docs/swagger-ui.css', { 'accept-encoding': coding }).then(({ headers }) => headers),
      ),
    );

    expect(answers.map(headers => headers.get('content-encoding'))).toEqual(['gzip', null]);
    expect(answers.map(headers => headers.get('vary'))).toEqual(['accept-encoding', 'accept-encoding']);
  });

  test('leaves what is asked beside inference as it is: clients say that they inflate it, and do not', async () => {
    const { headers } = await runtime.get('/v2/models/ratio/openapi.json', {
      'accept-encoding': 'gzip, deflate',
      authorization: `Bearer ${KEY}`,
    });

    expect(Number(headers.get('content-length'))).toBeGreaterThan(FROM_BYTES);
    expect(headers.get('content-encoding')).toBeNull();
  });
});
