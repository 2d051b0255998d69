import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookWith, provideClients, SETUP_MS, type Seen } from './clients.fixture.ts';
import { backFrom } from './echoed.fixture.ts';
import { type Serving, startServing } from './serving.fixture.ts';

const python = await provideClients();

describe.skipIf(python === null)('tritonclient.grpc', () => {
  let serving: Serving;
  let seen: Seen;
  beforeAll(async () => {
    serving = await startServing();
    seen = await lookWith(python!, 'triton_grpc.py', serving);
  }, SETUP_MS);
  afterAll(() => serving?.[Symbol.asyncDispose]());

  const answer = { dtype: 'float32', shape: [2, 1], data: [2, 0.25] };

  test('hears that server, model and version are there and ready', () => {
    const heard = ['live', 'ready', 'model ready', 'version ready', 'aio live'];

    expect(heard.map(name => seen.value(name))).toEqual([true, true, true, true, true]);
  });

  test('reads metadata, configuration, statistics and the index', () => {
    const described = { name: 'ratio', versions: ['1.0.0', '1.1.0'], platform: 'onnx_onnxv1' };

    expect(seen.value('server metadata')).toMatchObject({ name: 'switchback' });
    expect(seen.value('model metadata')).toMatchObject(described);
    expect(seen.value('aio metadata')).toMatchObject(described);
    expect(seen.value('config')).toMatchObject({ config: { name: 'ratio', max_batch_size: 64 } });
    expect(seen.value('statistics')).toMatchObject({ model_stats: [{ name: 'ratio', version: '1.0.0' }] });
    expect(seen.value('index')).toMatchObject({
      models: [{ name: 'ratio' }, { name: 'ratio' }, { name: 'echo' }, { name: 'echo-typed' }],
    });
  });

  test.each([
    'defaults',
    'with parameters',
    'only what is asked for',
    'compressed with gzip',
    'compressed with deflate',
  ])('infers: %s', name => {
    expect(seen.value(name)).toMatchObject({
      answer: { model_name: 'ratio', model_version: '1.0.0' },
      output: answer,
    });
  });

  test('gets its request id back, from the version that it named', () => {
    expect(seen.value('identified')).toMatchObject({
      answer: { id: 'order 66', model_version: '1.1.0' },
      output: answer,
    });
  });

  test('gets classes', () => {
    expect(seen.value('classes')).toMatchObject({ output: { shape: [2, 1], data: ['2:0', '0.25:0'] } });
  });

  test('gets every datatype back to the last digit', () => {
    expect(seen.value('echo')).toEqual(backFrom('by datatype'));
  });

  test('infers with a callback, and several times at once', () => {
    expect(seen.value('async')).toEqual(answer);
    expect(seen.value('aio many at once')).toEqual(Array(8).fill(answer));
  });

  test.each([
    ['wrong shape', 'INVALID_ARGUMENT', 'Input "numerator" must have the shape [-1, 1]; got [2, 2].'],
    ['wrong datatype', 'INVALID_ARGUMENT', 'Input "numerator" must be FP32; got FP64.'],
    ['wrong name', 'INVALID_ARGUMENT', 'The model has no input "numerater": did you mean "numerator"?'],
    ['unknown model', 'NOT_FOUND', 'There is no model "nobody" here'],
    ['unknown version', 'NOT_FOUND', 'Model "ratio" has no version "9.9.9" here'],
    ['without a key', 'UNAUTHENTICATED', 'Send an inference key of this environment'],
    ['load', 'PERMISSION_DENIED', 'Models are loaded and unloaded by git alone'],
    ['unload', 'PERMISSION_DENIED', 'Models are loaded and unloaded by git alone'],
    ['trace settings', 'UNIMPLEMENTED', 'Tracing is set where the runtime is started.'],
    ['shared memory', 'UNIMPLEMENTED', 'there is no shared memory here'],
    ['stream', 'UNIMPLEMENTED', 'send it with ModelInfer'],
  ])('raises our own words: %s', (name, status, words) => {
    expect(seen.refusal(name)).toEqual({
      type: 'InferenceServerException',
      status: `StatusCode.${status}`,
      message: expect.stringContaining(words),
    });
  });
});
