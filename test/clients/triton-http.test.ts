import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookWith, provideClients, SETUP_MS, type Seen } from './clients.fixture.ts';
import { backFrom } from './echoed.fixture.ts';
import { type Serving, startServing } from './serving.fixture.ts';

const python = await provideClients();

describe.skipIf(python === null)('tritonclient.http', () => {
  let serving: Serving;
  let seen: Seen;
  beforeAll(async () => {
    serving = await startServing();
    seen = await lookWith(python!, 'triton_http.py', serving);
  }, SETUP_MS);
  afterAll(() => serving?.[Symbol.asyncDispose]());

  test('hears that server, model and version are there and ready', () => {
    const heard = ['live', 'ready', 'model ready', 'version ready', 'unknown model ready'];

    expect(heard.map(name => seen.value(name))).toEqual([true, true, true, true, false]);
  });

  test('reads what the server can do', () => {
    expect(seen.value('server metadata')).toMatchObject({
      name: 'switchback',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      extensions: expect.arrayContaining(['binary_tensor_data', 'model_repository', 'statistics']),
    });
  });

  test.each(['model metadata', 'version metadata'])('reads the %s', name => {
    const tensor = { datatype: 'FP32', shape: [-1, 1] };

    expect(seen.value(name)).toEqual({
      name: 'ratio',
      versions: ['1.0.0', '1.1.0'],
      platform: 'onnx_onnxv1',
      inputs: [
        { name: 'numerator', ...tensor },
        { name: 'denominator', ...tensor },
      ],
      outputs: [{ name: 'ratio', ...tensor }],
    });
  });

  test('reads configuration, statistics and what is in the repository', () => {
    expect(seen.value('config')).toMatchObject({
      name: 'ratio',
      max_batch_size: 64,
      input: [
        { name: 'numerator', data_type: 'TYPE_FP32', dims: [1] },
        { name: 'denominator', data_type: 'TYPE_FP32', dims: [1] },
      ],
    });
    expect(seen.value('statistics')).toMatchObject({ model_stats: [{ name: 'ratio', version: '1.0.0' }] });
    expect(seen.value('index')).toEqual([
      { name: 'ratio', version: '1.0.0', state: 'READY', reason: '' },
      { name: 'ratio', version: '1.1.0', state: 'READY', reason: '' },
      { name: 'echo', version: '1.0.0', state: 'READY', reason: '' },
      { name: 'echo-typed', version: '1.0.0', state: 'READY', reason: '' },
    ]);
  });

  test.each([
    ['by its defaults, binary both ways', 'defaults', true],
    ['in JSON both ways', 'json', false],
    ['in JSON, answered in binary', 'json in, binary out', true],
    ['one tensor in binary and one in JSON', 'mixed', true],
    ['compressed with gzip', 'request as gzip', true],
    ['compressed with deflate', 'request as deflate', true],
    ['with priority, timeout and parameters of its own', 'with parameters', true],
  ])('infers %s', (_, name, isBinary) => {
    const tensor = { name: 'ratio', shape: [2, 1], datatype: 'FP32' };
    const carried = isBinary ? { parameters: { binary_data_size: 8 } } : { data: [2, 0.25] };

    expect(seen.value(name)).toEqual({
      answer: { model_name: 'ratio', model_version: '1.0.0', outputs: [{ ...tensor, ...carried }] },
      output: { dtype: 'float32', shape: [2, 1], data: [2, 0.25] },
    });
  });

  test('gets its request id back, from the version that it named', () => {
    expect(seen.value('identified')).toMatchObject({
      answer: { id: 'order 66', model_version: '1.1.0' },
      output: { data: [2, 0.25] },
    });
  });

  test('gets classes', () => {
    expect(seen.value('classes')).toMatchObject({ output: { shape: [2, 1], data: ['2:0', '0.25:0'] } });
  });

  test.each([
    'echo in binary',
    'echo in JSON',
    'echo, floats in binary, the rest in JSON',
    'echo, floats in JSON, the rest in binary',
  ])('gets every datatype back to the last digit: %s', name => {
    expect(seen.value(name)).toEqual(backFrom('by datatype'));
  });

  test('infers several times at once', () => {
    const answer = { dtype: 'float32', shape: [2, 1], data: [2, 0.25] };

    expect(seen.value('async')).toEqual(Array(8).fill(answer));
  });

  test.each([
    ['wrong shape', '400', 'Input "numerator" must have the shape [-1, 1]; got [2, 2].'],
    ['wrong datatype', '400', 'Input "numerator" must be FP32; got FP64.'],
    ['wrong name', '400', 'The model has no input "numerater": did you mean "numerator"?'],
    ['one input missing', '400', 'Input "denominator" is missing'],
    ['unknown output', '400', 'The model has no output "ration": did you mean "ratio"?'],
    ['unknown model', '404', 'There is no model "nobody" here'],
    ['unknown version', '404', 'Model "ratio" has no version "9.9.9" here; it has 1.0.0, 1.1.0.'],
    ['sequence', '400', 'sequences are not supported'],
    ['without a key', '401', 'Send an inference key of this environment'],
    ['load', '403', 'What is served is written in git alone. To load it, commit'],
    ['unload', '403', 'What is served is written in git alone. To unload it, take'],
    ['shared memory', '404', 'There is nothing at POST'],
  ])('raises our own words: %s', (name, status, words) => {
    expect(seen.refusal(name)).toEqual({
      type: 'InferenceServerException',
      status,
      message: expect.stringContaining(words),
    });
  });

  test.each(['gzip', 'deflate'])('gets its answer as %s where it asks for that', algorithm => {
    expect(seen.value(`answer as ${algorithm}`)).toEqual({ encodings: [algorithm], same: true });
  });

  // It decodes answers and nothing else: an error that came compressed would be lost on it.
  test.each(['gzip', 'deflate'])('reads a refusal where it asked for %s', algorithm => {
    expect(seen.refusal(`refusal as ${algorithm}`)).toMatchObject({
      status: '404',
      message: expect.stringContaining('There is no model "nobody" here'),
    });
  });
});
