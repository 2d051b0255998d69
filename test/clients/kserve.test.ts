import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookWith, provideClients, SETUP_MS, type Seen } from './clients.fixture.ts';
import { ECHOED, TYPED } from './echo-model.fixture.ts';
import { backFrom } from './echoed.fixture.ts';
import { type Serving, startServing } from './serving.fixture.ts';

const python = await provideClients();
const answer = { dtype: 'float32', shape: [2, 1], data: [2, 0.25] };

describe.skipIf(python === null)('clients of kserve', () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await startServing();
  }, SETUP_MS);
  afterAll(() => serving?.[Symbol.asyncDispose]());

  describe('InferenceRESTClient', () => {
    let seen: Seen;
    beforeAll(async () => {
      seen = await lookWith(python!, 'kserve_rest.py', serving);
    }, SETUP_MS);

    test('hears that server and model are there and ready', () => {
      const heard = ['live', 'ready', 'model ready', 'unknown model ready'];

      expect(heard.map(name => seen.value(name))).toEqual([true, true, true, false]);
    });

    test.each(['json', 'binary', 'binary both ways'])('infers: %s', name => {
      expect(seen.value(name)).toMatchObject({ model: 'ratio', outputs: { ratio: answer } });
    });

    test('gets its request id back', () => {
      expect(seen.value('json')).toMatchObject({ id: 'a' });
    });

    test.each(['echo in JSON', 'echo in binary'])('gets every datatype back to the last digit: %s', name => {
      expect(seen.value(name)).toMatchObject({ outputs: backFrom('by output') });
    });

    test('predicts by its first protocol', () => {
      expect(seen.value('first protocol')).toEqual({ predictions: [[2], [0.25]] });
    });

    test('hears by its first protocol that the model is ready', () => {
      expect(seen.value('first protocol, ready')).toBe(true);
    });

    // It looks into a refusal only where the content type is application/json and nothing more.
    test.each([
      ['unknown model', '404', 'There is no model "nobody" here'],
      ['wrong shape', '400', 'must have the shape [-1, 1]; got [2, 2].'],
      ['without a key', '401', 'Send an inference key of this environment'],
      ['first protocol, unknown model', '404', 'There is no model "nobody" here'],
    ])('raises our own words: %s', (name, status, words) => {
      const { type, message } = seen.refusal(name);

      expect(type).toBe('HTTPStatusError');
      expect(message).toContain(status);
      expect(message).toContain(words);
    });
  });

  describe('InferenceGRPCClient', () => {
    let seen: Seen;
    beforeAll(async () => {
      seen = await lookWith(python!, 'kserve_grpc.py', serving);
    }, SETUP_MS);

    test('hears that server and model are there and ready', () => {
      expect(['live', 'ready', 'model ready'].map(name => seen.value(name))).toEqual([true, true, true]);
    });

    test.each(['raw', 'typed'])('infers with %s contents', name => {
      expect(seen.value(name)).toEqual({ id: 'a', version: '1.0.0', outputs: { ratio: answer } });
    });

    test.each([
      ['echo raw', ECHOED],
      ['echo typed', TYPED],
    ])('gets every datatype back to the last digit: %s', (name, datatypes) => {
      expect(seen.value(name)).toMatchObject({ outputs: backFrom('by output', datatypes) });
    });

    test.each([
      ['one input missing', 'INVALID_ARGUMENT', 'Input "denominator" is missing'],
      ['unknown model', 'NOT_FOUND', 'There is no model "nobody" here'],
      ['without a key', 'UNAUTHENTICATED', 'Send an inference key of this environment'],
    ])('raises our own words: %s', (name, status, words) => {
      expect(seen.refusal(name)).toEqual({
        type: 'AioRpcError',
        status: `StatusCode.${status}`,
        message: expect.stringContaining(words),
      });
    });
  });
});
