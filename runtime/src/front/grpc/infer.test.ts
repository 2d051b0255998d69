import { status } from '@grpc/grpc-js';
import type { Backend } from '@switchback-ml/schemas';
import { beforeEach, describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../error.ts';
import type { InferenceCall } from '../../inference/call.ts';
import { eventually, KEY } from '../../serving.fixture.ts';
import {
  backends,
  COMMIT,
  column,
  type GrpcFixture,
  post,
  ratio,
  request,
  type ScriptedModel,
  scriptedInference,
  startGrpcFixture,
} from './grpc.fixture.ts';

const [first] = backends as [Backend];

interface InferResponse {
  model_name: string;
  model_version: string;
  id: string;
  outputs: { name: string; datatype: string; shape: number[] }[];
  raw_output_contents: Buffer[];
}

describe('ModelInfer', () => {
  let run: ScriptedModel['run'];
  let grpc: GrpcFixture;
  beforeEach(async () => {
    run = ratio;
    grpc = await startGrpcFixture(
      scriptedInference({ ratio: { backends, run: (inputs, call) => run(inputs, call) } }),
    );
  });

  test('answers contents and raw contents alike, raw', async () => {
    const raw = (value: number): Buffer => Buffer.from(Float32Array.of(value).buffer);
    const inputs = ['numerator', 'denominator'].map(name => ({ name, datatype: 'FP32', shape: [1, 1] }));

    const typed = await grpc.call('ModelInfer', request(6, 3, { id: 'a1' }));
    const asRaw = await grpc.call('ModelInfer', {
      model_name: 'ratio',
      model_version: '2',
      inputs,
      raw_input_contents: [raw(6), raw(4)],
    });

    expect(typed.response as unknown as InferResponse).toMatchObject({
      model_name: 'ratio',
      model_version: '1',
      id: 'a1',
      outputs: [{ name: 'ratio', datatype: 'FP32', shape: [1, 1] }],
    });
    expect((typed.response['raw_output_contents'] as Buffer[])[0]!.readFloatLE()).toBe(2);
    expect(typed.headers.getMap()).toMatchObject({
      'x-switchback-version': '1',
      'x-switchback-revision': first.revision,
      'x-switchback-digest': first.digest,
      'x-switchback-commit': COMMIT,
    });
    expect(asRaw.response['model_version']).toBe('2');
    expect((asRaw.response['raw_output_contents'] as Buffer[])[0]!.readFloatLE()).toBe(1.5);
    expect(asRaw.headers.get('x-switchback-version')).toEqual(['2']);
  });

  test('answers classes of an output where they are asked for', async () => {
    const outputs = [{ name: 'ratio', parameters: { classification: { int64_param: 1 } } }];

    const { response } = await grpc.call('ModelInfer', request(6, 3, { outputs }));

    expect(response['outputs']).toMatchObject([{ name: 'ratio', datatype: 'BYTES', shape: [1, 1] }]);
    expect((response['raw_output_contents'] as Buffer[])[0]!.toString()).toBe('\x03\0\0\x002:0');
  });

  test.each<[string, string | null]>([
    ['no key', null],
    ['another key', 'wrong'],
  ])('lets nobody in with %s', async (_, key) => {
    let ran = false;
    run = inputs => {
      ran = true;
      return ratio(inputs);
    };

    const error = await grpc.refused('ModelInfer', request(6, 3), { key });

    expect(error).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining('inference key'),
    });
    expect(error.metadata.get('switchback-code')).toEqual(['E_UNAUTHENTICATED']);
    expect(ran).toBe(false);
  });

  test.each<[string, object, number, string]>([
    ['an unknown model', { ...request(6, 3), model_name: 'rotia' }, status.NOT_FOUND, 'E_MODEL_UNKNOWN'],
    [
      'a model of a huge name',
      { ...request(6, 3), model_name: 'ü'.repeat(2 ** 20) },
      status.NOT_FOUND,
      'E_MODEL_UNKNOWN',
    ],
    ['an unknown version', request(6, 3, { model_version: '9' }), status.NOT_FOUND, 'E_MODEL_UNKNOWN'],
    ['no model', { inputs: [] }, status.NOT_FOUND, 'E_MODEL_UNKNOWN'],
    [
      'a missing input',
      { model_name: 'ratio', inputs: [column('numerator', 1)] },
      status.INVALID_ARGUMENT,
      'E_INPUT',
    ],
    ['no inputs', { model_name: 'ratio' }, status.INVALID_ARGUMENT, 'E_BODY'],
    // The name is cut in the middle of a character that takes two units.
    [
      'a name cut apart',
      { ...request(1, 1), inputs: [column(`${'a'.repeat(99)}😀`, 1)] },
      status.INVALID_ARGUMENT,
      'E_INPUT',
    ],
  ])('refuses %s', async (_, asked, code, ours) => {
    const error = await grpc.refused('ModelInfer', asked);

    expect(error.code).toBe(code);
    expect(error.metadata.get('switchback-code')).toEqual([ours]);
    expect((await grpc.call('ModelInfer', request(6, 3))).response['model_name']).toBe('ratio');
  });

  test('names the revision and what is wrong with which tensor', async () => {
    const error = await grpc.refused('ModelInfer', request(6, 3, { outputs: [{ name: 'ratoi' }] }));

    const [details] = error.metadata.get('switchback-details-bin');
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('did you mean "ratio"'),
    });
    expect(JSON.parse(String(details))).toMatchObject({ tensor: 'ratoi', nearest: 'ratio' });
    expect(error.metadata.get('x-switchback-revision')).toEqual([first.revision]);
    expect(error.metadata.get('x-switchback-digest')).toEqual([first.digest]);
  });

  test.each([
    ['E_OVERLOADED', status.RESOURCE_EXHAUSTED, { retryAfterMs: 250 }, '250'],
    ['E_MODEL_NOT_READY', status.UNAVAILABLE, {}, '1000'],
    ['E_ENGINE_TIMEOUT', status.DEADLINE_EXCEEDED, {}, undefined],
    ['E_FORBIDDEN', status.PERMISSION_DENIED, {}, undefined],
    ['E_MODEL_LOAD', status.INTERNAL, {}, undefined],
  ] as const)(
    'tells %s in its own status, and when to come again',
    async (code, expected, details, retryAfterMs) => {
      run = () => {
        throw new SwitchbackError(code, `It is ${'so '.repeat(1000)}\ud83d`, { details });
      };

      const error = await grpc.refused('ModelInfer', request(6, 3));

      expect(error.code).toBe(expected);
      expect(error.details.length).toBeLessThan(600);
      expect(error.metadata.get('retry-after-ms')[0]).toBe(retryAfterMs);
    },
  );

  test('tells a fault of its own to nobody', async () => {
    run = () => {
      throw new Error('secret');
    };

    const error = await grpc.refused('ModelInfer', request(6, 3));

    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).not.toContain('secret');
  });

  test('says how long the caller waits, and that one is there', async () => {
    let seen: InferenceCall | undefined;
    let wasGone: boolean | undefined;
    run = (inputs, call) => {
      seen = call;
      wasGone = call.caller.isGone;
      return ratio(inputs);
    };

    await grpc.call('ModelInfer', request(6, 3), { deadlineMs: 20_000 });
    const timeoutMs = Number.parseInt(seen!.message.header('grpc-timeout')!, 10);
    await grpc.call('ModelInfer', request(6, 3));

    expect(timeoutMs).toBeGreaterThan(10_000);
    expect(timeoutMs).toBeLessThanOrEqual(20_000);
    expect(wasGone).toBe(false);
    expect(seen!.message.header('grpc-timeout')).toBeUndefined();
    expect(seen!.message.header('authorization')).toBe(`Bearer ${KEY}`);
  });

  test.each(['a deadline', 'a cancellation'])('lets a caller go by %s', async how => {
    const leaving = new AbortController();
    let seen: InferenceCall | undefined;
    let finish = (): void => {};
    run = (inputs, call) => {
      seen = call;
      if (how === 'a cancellation') leaving.abort();
      return new Promise(resolve => {
        finish = () => resolve(ratio(inputs));
      });
    };

    const error = await grpc.refused('ModelInfer', request(6, 3), {
      ...(how === 'a deadline' && { deadlineMs: 200 }),
      signal: leaving.signal,
    });
    await eventually(() => seen?.caller.isGone, 'the caller being gone');
    finish();

    expect(error.code).toBe(how === 'a deadline' ? status.DEADLINE_EXCEEDED : status.CANCELLED);
    run = ratio;
    expect((await grpc.call('ModelInfer', request(6, 3))).response['model_name']).toBe('ratio');
  });

  test('takes compressed requests, and none that grow beyond the limit', async () => {
    const gzip = { 'grpc.default_compression_algorithm': 2 };
    const good = await grpc.call('ModelInfer', request(6, 3), { client: gzip });

    const bomb = await grpc.refused('ModelInfer', request(6, 3, { id: ' '.repeat(9 * 2 ** 20) }), {
      client: gzip,
    });
    const large = await grpc.refused('ModelInfer', request(6, 3, { id: ' '.repeat(9 * 2 ** 20) }));

    expect(good.response['model_name']).toBe('ratio');
    expect([bomb.code, large.code]).toEqual([status.RESOURCE_EXHAUSTED, status.RESOURCE_EXHAUSTED]);
  });

  test('refuses bytes that are no message, whatever they say of their length', async () => {
    const frame = (bytes: string): Buffer => {
      const body = Buffer.from(bytes, 'hex');
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      return Buffer.concat([head, body]);
    };
    const bodies = {
      garbage: frame('ffffffffff'),
      'a field that goes on beyond the end': frame('2aff01'),
      'no field number': frame('00'),
      'more than it says': Buffer.concat([frame('0a01'), Buffer.of(1)]),
      'two messages': Buffer.concat([frame(''), frame('')]),
      nothing: Buffer.alloc(0),
    };

    const statuses = await Promise.all(Object.values(bodies).map(body => post(grpc.address, body)));

    expect(
      Object.fromEntries(Object.keys(bodies).map((name, index) => [name, statuses[index]!.code])),
    ).toEqual({
      garbage: status.INVALID_ARGUMENT,
      'a field that goes on beyond the end': status.INVALID_ARGUMENT,
      'no field number': status.INVALID_ARGUMENT,
      'more than it says': status.INVALID_ARGUMENT,
      'two messages': status.UNIMPLEMENTED,
      nothing: status.UNIMPLEMENTED,
    });
    expect((await grpc.call('ModelInfer', request(6, 3))).response['model_name']).toBe('ratio');
  });
});
