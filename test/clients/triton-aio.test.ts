import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookWith, provideClients, SETUP_MS, type Seen } from './clients.fixture.ts';
import { type Serving, startServing } from './serving.fixture.ts';

const python = await provideClients();

describe.skipIf(python === null)(
  'tritonclient.http.aio, which accepts compressed answers to all it asks',
  () => {
    let serving: Serving;
    let seen: Seen;
    beforeAll(async () => {
      serving = await startServing();
      seen = await lookWith(python!, 'triton_aio.py', serving);
    }, SETUP_MS);
    afterAll(() => serving?.[Symbol.asyncDispose]());

    const answer = { dtype: 'float32', shape: [2, 1], data: [2, 0.25] };

    test('reads what is not inference, which it can not decompress', () => {
      expect(['live', 'ready', 'model ready'].map(name => seen.value(name))).toEqual([true, true, true]);
      expect(seen.value('server metadata')).toMatchObject({ name: 'switchback' });
      expect(seen.value('model metadata')).toMatchObject({ name: 'echo', platform: 'onnx_onnxv1' });
      expect(seen.value('config')).toMatchObject({ name: 'echo', max_batch_size: 64 });
      expect(seen.value('statistics')).toMatchObject({ model_stats: [{ name: 'ratio' }, { name: 'ratio' }] });
      expect(seen.value('index')).toHaveLength(4);
    });

    test.each(['binary', 'json', 'request as gzip', 'request as deflate'])('infers: %s', name => {
      expect(seen.value(name)).toEqual(answer);
    });

    test('infers several times at once', () => {
      expect(seen.value('many at once')).toEqual(Array(8).fill(answer));
    });

    test.each(['large', 'large in JSON', 'answer as gzip', 'answer as deflate'])(
      'reads many rows: %s',
      name => {
        expect(seen.value(name)).toBe(true);
      },
    );

    test.each([
      ['unknown model', '404', 'There is no model "nobody" here'],
      ['load', '403', 'What is served is written in git alone.'],
    ])('raises our own words: %s', (name, status, words) => {
      expect(seen.refusal(name)).toEqual({
        type: 'InferenceServerException',
        status,
        message: expect.stringContaining(words),
      });
    });
  },
);
