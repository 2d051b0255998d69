import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { backends, post, ratio, scriptedInference, startGrpcFixture } from './grpc.fixture.ts';

describe('the calls besides', () => {
  const models = { ratio: { backends, run: ratio } };

  test('describe the server, a model and a version of it', async () => {
    const grpc = await startGrpcFixture(scriptedInference(models));

    const server = await grpc.call('ServerMetadata');
    const model = await grpc.call('ModelMetadata', { name: 'ratio' });
    const version = await grpc.call('ModelMetadata', { name: 'ratio', version: '2' });
    const config = await grpc.call('ModelConfig', { name: 'ratio' });

    expect(server.response).toMatchObject({
      name: 'switchback',
      extensions: expect.arrayContaining(['parameters']),
    });
    expect(model.response).toEqual({
      name: 'ratio',
      versions: ['1', '2'],
      platform: 'onnx_onnxv1',
      inputs: [
        { name: 'numerator', datatype: 'FP32', shape: [-1, 1] },
        { name: 'denominator', datatype: 'FP32', shape: [-1, 1] },
      ],
      outputs: [{ name: 'ratio', datatype: 'FP32', shape: [-1, 1] }],
    });
    expect(version.headers.get('x-switchback-version')).toEqual(['2']);
    expect(config.response['config']).toMatchObject({
      name: 'ratio',
      platform: 'onnxruntime_onnx',
      input: [{ name: 'numerator', data_type: 'TYPE_FP32', dims: [1] }, { name: 'denominator' }],
      output: [{ name: 'ratio', data_type: 'TYPE_FP32', dims: [1] }],
      dynamic_batching: { max_queue_delay_microseconds: 0 },
      model_transaction_policy: { decoupled: false },
    });
  });

  test('say what is ready and what is not', async () => {
    const grpc = await startGrpcFixture(scriptedInference(models), {
      readiness: () => ({ isReady: false, reasons: [{ code: 'E_MODEL_NOT_READY', message: 'Not yet.' }] }),
      isReady: (_, { version }) => version === '1',
    });

    const live = await grpc.call('ServerLive', {}, { key: null });
    const ready = await grpc.call('ServerReady', {}, { key: null });
    const versions = await Promise.all(
      ['', '1', '2'].map(version => grpc.call('ModelReady', { name: 'ratio', version })),
    );
    const index = await grpc.call('RepositoryIndex');
    const onlyReady = await grpc.call('RepositoryIndex', { ready: true });

    expect([live.response, ready.response]).toEqual([{ live: true }, { ready: false }]);
    expect(versions.map(({ response }) => response['ready'])).toEqual([true, true, false]);
    expect(index.response['models']).toMatchObject([
      { name: 'ratio', version: '1', state: 'READY' },
      { name: 'ratio', version: '2', state: 'UNAVAILABLE' },
    ]);
    expect(onlyReady.response['models']).toHaveLength(1);
  });

  test('tell what was counted of each version, and of those that are asked for', async () => {
    const count = (success: number) => ({ inference_stats: { success: { count: success } } });
    const grpc = await startGrpcFixture(scriptedInference(models), {
      stats: { of: (_, { version }) => (version === '1' ? count(7) : undefined) },
    });

    const all = await grpc.call('ModelStatistics');
    const second = await grpc.call('ModelStatistics', { name: 'ratio', version: '2' });
    const unknown = await grpc.refused('ModelStatistics', { name: 'rotia' });

    expect(all.response['model_stats']).toMatchObject([
      { name: 'ratio', version: '1', ...count(7) },
      { name: 'ratio', version: '2', inference_stats: null },
    ]);
    expect(second.response['model_stats']).toMatchObject([{ name: 'ratio', version: '2' }]);
    expect(unknown.code).toBe(status.NOT_FOUND);
  });

  const KEYED = [
    'ServerMetadata',
    'ModelReady',
    'ModelMetadata',
    'ModelConfig',
    'ModelStatistics',
    'RepositoryIndex',
    'List',
  ];
  test.each(KEYED)('want a key for %s', async method => {
    const grpc = await startGrpcFixture(scriptedInference(models));

    expect((await grpc.refused(method, {}, { key: null })).code).toBe(status.UNAUTHENTICATED);
  });

  test.each([
    ['RepositoryModelLoad', status.PERMISSION_DENIED, 'git'],
    ['RepositoryModelUnload', status.PERMISSION_DENIED, 'git'],
    ['ModelStreamInfer', status.UNIMPLEMENTED, 'ModelInfer'],
    ['SystemSharedMemoryStatus', status.UNIMPLEMENTED, 'shared memory'],
    ['TraceSetting', status.UNIMPLEMENTED, 'Tracing'],
  ])('say why there is no %s', async (method, code, words) => {
    const grpc = await startGrpcFixture(scriptedInference(models));

    const refused = await post(grpc.address, Buffer.alloc(5), `/inference.GRPCInferenceService/${method}`);

    expect(refused).toEqual({ code, details: expect.stringContaining(words) });
  });

  test('say of a model that is not there which there is', async () => {
    const grpc = await startGrpcFixture(scriptedInference(models));

    for (const method of ['ModelMetadata', 'ModelReady', 'ModelConfig']) {
      const error = await grpc.refused(method, { name: 'rotia' });
      expect(error).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining('rotia') });
    }
  });

  test('take paths that are none for what they are', async () => {
    const grpc = await startGrpcFixture(scriptedInference(models));
    const refused = await Promise.all(
      ['/nothing', '/inference.GRPCInferenceService/%0d%0a', `/${'x'.repeat(9000)}`].map(path =>
        post(grpc.address, Buffer.alloc(5), path),
      ),
    );

    expect(refused.map(({ code }) => code)).toEqual(Array(3).fill(status.UNIMPLEMENTED));
  });
});
