import { expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { exampleOf, withExample } from './example.ts';
import { v2 } from './index.ts';
import { decode, takes, takesX } from './v2.fixture.ts';

test('an example is a request that its model takes, for every datatype', () => {
  for (const datatype of ['FP16', 'FP32', 'FP64', 'INT8', 'UINT64', 'INT64', 'BOOL', 'BYTES'] as const) {
    const backend = takes({ 'a"b': { datatype, shape: [-1, 2] }, c: { datatype, shape: [-1, -1] } });

    expect(decode(exampleOf(backend)).read(backend).rows).toBe(1);
  }
});

test('there is none where it would be long', () => {
  expect(exampleOf(takesX('FP32', -1, 784))).not.toBeNull();
  expect(exampleOf(takesX('FP32', -1, 3, 224, 224))).toBeNull();
});

test('it goes with what a wrong body caused, and with nothing else', () => {
  const backend = takesX('FP32', -1);
  const wrong = (code: 'E_BODY' | 'E_INPUT' | 'E_OVERLOADED') =>
    withExample(new SwitchbackError(code, 'No.'), backend);

  expect(wrong('E_INPUT').details).toHaveProperty('example');
  expect(wrong('E_BODY').details).toHaveProperty('example');
  expect(wrong('E_OVERLOADED').details).toEqual({});
});

test('an error is printed with it where the revision is known', () => {
  const error = new SwitchbackError('E_BODY', 'No.');
  const backend = takesX('FP32', -1);

  const known = v2.printError(error, backend);

  expect(JSON.parse(String(known.body)).details.example).toEqual(exampleOf(backend));
  expect(JSON.parse(String(v2.printError(error).body))).toEqual({ error: 'No.', code: 'E_BODY' });
});
