import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookWith, provideClients, SETUP_MS, type Seen } from './clients.fixture.ts';
import { type Serving, startServing } from './serving.fixture.ts';

const python = await provideClients();

describe.skipIf(python === null)('scoring', () => {
  let serving: Serving;
  let seen: Seen;
  beforeAll(async () => {
    serving = await startServing();
    seen = await lookWith(python!, 'scoring.py', serving);
  }, SETUP_MS);
  afterAll(() => serving?.[Symbol.asyncDispose]());

  describe("by MLflow's ScoringServerClient", () => {
    test('finds a server that is up, and its version', () => {
      expect(seen.value('ping')).toBeNull();
      expect(seen.value('version of the server')).toMatch(/^\d+\.\d+\.\d+$/);
    });

    test.each([
      'data frame',
      'data frame, columns the other way round',
      'tensors by name',
      'records',
      'predictions as a data frame',
    ])('scores: %s', name => {
      expect(seen.value(name)).toEqual({ dtype: 'float64', shape: [2, 1], data: [2, 0.25] });
    });

    test.each([
      [
        'several models',
        '404',
        'This address names no model, and there are several: ratio, echo, echo-typed.',
      ],
      ['wrong column', '400', 'The model has no input \\"numerater\\": did you mean \\"numerator\\"?'],
      ['params', '400', 'the model takes no \\"params\\", and got temperature.'],
    ])('raises our own words: %s', (name, status, words) => {
      const { message } = seen.refusal(name);

      expect(message).toContain(`error code ${status}`);
      expect(message).toContain(words);
    });

    test('is refused a missing value, which it writes as NaN', () => {
      expect(seen.refusal('missing value').message).toContain('error code 400');
    });
  });

  describe("by TensorFlow Serving's REST API", () => {
    test.each([
      ['by rows', 'tf by rows', { predictions: [[2], [0.25]] }],
      ['by columns', 'tf by columns', { outputs: [[2], [0.25]] }],
      ['by signature and version', 'tf signature and version', { predictions: [[2], [0.25]] }],
    ])('predicts %s', (_, name, body) => {
      expect(seen.value(name)).toEqual({ status: 200, body });
    });

    test('reads the state of a model and of a version', () => {
      const available = { state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } };
      const [first, second] = ['1.0.0', '1.1.0'].map(version => ({ version, ...available }));

      expect(seen.value('tf status')).toEqual({
        status: 200,
        body: { name: 'ratio', ready: true, model_version_status: [first, second] },
      });
      expect(seen.value('tf status of a version')).toEqual({
        status: 200,
        body: { name: 'ratio', ready: true, model_version_status: [second] },
      });
    });

    test('reads the signature', () => {
      const dim = [
        { size: '-1', name: '' },
        { size: '1', name: '' },
      ];
      const signature = { inputs: { numerator: { dtype: 'DT_FLOAT', tensor_shape: { dim } } } };

      expect(seen.value('tf metadata')).toMatchObject({
        body: {
          model_spec: { name: 'ratio' },
          metadata: { signature_def: { signature_def: { serving_default: signature } } },
        },
      });
    });

    test.each([
      ['tf unknown model', 404, 'There is no model "nobody" here'],
      ['tf both forms at once', 400, 'it must have either "instances"'],
      ['tf uneven rows', 400, 'Input "denominator" must have 2 rows'],
    ])('is told why not: %s', (name, status, words) => {
      expect(seen.value(name)).toMatchObject({ status, body: { error: expect.stringContaining(words) } });
    });
  });
});
