import { expect, test } from 'vitest';
import { SwitchbackError } from '../error.ts';
import { findMlflow } from '../front/protocol/mlflow/index.ts';
import { findTfServing } from '../front/protocol/tf-serving/index.ts';
import { findV2 } from '../front/protocol/v2/index.ts';
import { worthAnother } from './retry.ts';

const PROTOCOLS = [
  findV2('/v2/models/a/infer'),
  findTfServing('/v1/models/a:predict'),
  findMlflow('/invocations'),
];

test('the code is found in the errors of every protocol', () => {
  const found = PROTOCOLS.map(target => {
    const said = (code: 'E_MODEL_UNKNOWN' | 'E_MODEL_NOT_READY' | 'E_ENGINE_DIED') =>
      Buffer.from(target!.protocol.printError(new SwitchbackError(code, 'It is so.')).body);
    return [
      worthAnother(404, said('E_MODEL_UNKNOWN')),
      worthAnother(503, said('E_MODEL_NOT_READY')),
      worthAnother(503, said('E_ENGINE_DIED')),
    ];
  });

  expect(found).toEqual(Array(3).fill(['unknown', 'not-ready', 'died']));
});

test.each([
  [404, { error: 'There is nothing at GET /v2/E_MODEL_UNKNOWN.', code: 'E_NOT_FOUND' }],
  [404, { error: 'GET /v2/"code":"E_MODEL_UNKNOWN"', code: 'E_NOT_FOUND' }],
  [404, { error: 'no', code: 'E_NOT_FOUND', details: { code: 'E_MODEL_UNKNOWN', all: ['E_MODEL_UNKNOWN'] } }],
  [503, { error: 'E_MODEL_NOT_READY, E_ENGINE_DIED', code: 'E_SOMETHING' }],
  [503, ['E_ENGINE_DIED']],
  [503, null],
])('a %i that only repeats what a caller wrote is for the caller: %j', (status, said) => {
  expect(worthAnother(status, Buffer.from(JSON.stringify(said)))).toBeNull();
});

test('what is no JSON is for the caller', () => {
  expect(worthAnother(503, Buffer.from('E_ENGINE_DIED'))).toBeNull();
});
