import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { findTfServing } from './index.ts';
import { metadata } from './metadata.ts';
import { backendOf, messageOf, refusal } from './protocol.fixture.ts';
import { versionStatus } from './version-status.ts';

describe('addresses', () => {
  test.each([
    ['/v1/models/loan:predict', 'loan', null],
    ['/v1/models/loan:predict/', 'loan', null],
    ['/v1/models/loan/versions/1.2.0:predict', 'loan', '1.2.0'],
  ])('%s is one', (path, model, version) => {
    expect(findTfServing(path)).toMatchObject({ model, version });
  });

  test.each([
    '/v1/models/loan',
    '/v1/models/loan/predict',
    '/v1/models/:predict',
    '/v1/models/loan:predicted',
    '/v1/models/team/loan:predict',
    '/v1/models/loan/labels/stable:predict',
    '/v2/models/loan:predict',
  ])('%s is none', path => {
    expect(findTfServing(path)).toBeNull();
  });

  test.each(['classify', 'regress', 'explain'])(':%s says where to go instead', verb => {
    const { protocol } = findTfServing(`/v1/models/loan:${verb}`)!;

    const error = refusal(() => protocol.decode(messageOf('{"instances":[1]}')));

    expect(error.code).toBe('E_NOT_FOUND');
    expect(error.message).toContain(':predict');
  });
});

test('errors are an object with the sentence under "error", and our code', () => {
  const { protocol } = findTfServing('/v1/models/loan:predict')!;

  const plain = protocol.printError(new SwitchbackError('E_MODEL_UNKNOWN', 'There is none.'));
  const detailed = protocol.printError(new SwitchbackError('E_INPUT', 'No.', { details: { tensor: 'x' } }));

  expect(JSON.parse(String(plain.body))).toEqual({ error: 'There is none.', code: 'E_MODEL_UNKNOWN' });
  expect(JSON.parse(String(detailed.body))).toEqual({
    error: 'No.',
    code: 'E_INPUT',
    details: { tensor: 'x' },
  });
});

test('metadata are those of a saved model with one signature', () => {
  const backend = backendOf({ x: { datatype: 'FP32', shape: [-1, 3] }, t: { datatype: 'BYTES', shape: [] } });

  const described = metadata('loan', backend);

  expect(described).toMatchObject({
    model_spec: { name: 'loan', signature_name: '', version: '1.0.0' },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            method_name: 'tensorflow/serving/predict',
            inputs: {
              x: {
                dtype: 'DT_FLOAT',
                name: 'x',
                tensor_shape: {
                  unknown_rank: false,
                  dim: [
                    { size: '-1', name: '' },
                    { size: '3', name: '' },
                  ],
                },
              },
              t: { dtype: 'DT_STRING', tensor_shape: { dim: [] } },
            },
            outputs: { y: { dtype: 'DT_FLOAT' } },
          },
        },
      },
    },
  });
});

describe('the status of a version', () => {
  const failure = { code: 'E_MODEL_LOAD', message: 'It can not be loaded.' };

  test.each([
    ['what was not begun', undefined, 'START'],
    ['what is pulled', { state: 'pulling' as const }, 'LOADING'],
    ['what is loaded', { state: 'loading' as const }, 'LOADING'],
    ['what is ready', { state: 'ready' as const }, 'AVAILABLE'],
    ['what failed for good', { state: 'failed' as const, failure }, 'END'],
    ['what failed and is tried again', { state: 'failed' as const, failure, retryAt: 5 }, 'LOADING'],
  ])('of %s', (_, loaded, state) => {
    expect(versionStatus('1', loaded)).toMatchObject({ version: '1', state });
  });

  test('tells the failure', () => {
    expect(versionStatus('1', { state: 'ready' })).toMatchObject({
      status: { error_code: 'OK', error_message: '' },
    });
    expect(versionStatus('1', { state: 'failed', failure })).toMatchObject({
      status: { error_code: 'INTERNAL', error_message: 'E_MODEL_LOAD: It can not be loaded.' },
    });
  });
});
