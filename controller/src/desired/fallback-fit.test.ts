import { Datatype, type Signature } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { misfits } from './fallback-fit.ts';
import { effectiveSettings } from './settings.ts';

type Values = (number | string)[];

function found(values: Values, datatype: Datatype, shape: number[] = [-1, values.length]) {
  const signature: Signature = { inputs: {}, outputs: { y: { datatype, shape } } };
  return misfits(effectiveSettings([{ fallback: { outputs: { y: values } } }]), signature);
}

describe('an answer to fall back on fits', () => {
  test.each<[Datatype, Values]>([
    ['BOOL', [0, 1]],
    ['UINT8', [0, 255]],
    ['UINT16', [65_535]],
    ['UINT32', [4_294_967_295]],
    ['UINT64', [Number.MAX_SAFE_INTEGER]],
    ['INT8', [-128, 127]],
    ['INT16', [-32_768, 32_767]],
    ['INT32', [-2_147_483_648, 2_147_483_647]],
    ['INT64', [Number.MIN_SAFE_INTEGER]],
    ['FP16', [0.5, -65_504]],
    ['FP32', [0.1, 3.4e38]],
    ['FP64', [1e308]],
    ['BYTES', ['yes', '']],
  ])('where it is of %s: %j', (datatype, values) => {
    expect(found(values, datatype)).toEqual([]);
  });

  test.each<[string, number[], number]>([
    ['a row of a matrix', [-1, 3], 3],
    ['a row of more dimensions', [-1, 2, 3], 6],
    ['a row of a list', [-1], 1],
    ['a batch of a fixed size', [2, 3], 6],
    ['one value', [], 1],
  ])('with as many values as %s has', (_, shape, count) => {
    expect(found(Array<number>(count).fill(1), 'FP32', shape)).toEqual([]);
    expect(found(Array<number>(count + 1).fill(1), 'FP32', shape)).toMatchObject([{ code: 'E_SETTINGS' }]);
  });

  test('where there is none', () => {
    expect(misfits(effectiveSettings([]), { inputs: {}, outputs: {} })).toEqual([]);
  });
});

describe('it does not', () => {
  test.each<[Datatype, number | string]>([
    ['BOOL', 2],
    ['UINT8', -1],
    ['UINT8', 256],
    ['INT8', 128],
    ['INT32', 0.5],
    ['INT32', 2 ** 31],
    ['UINT64', -1],
    ['FP16', 65_505],
    ['FP32', 3.5e38],
    ['FP64', '1'],
    ['BYTES', 1],
  ])('with a value that is no %s: %j', (datatype, value) => {
    expect(found([value], datatype)).toMatchObject([
      { code: 'E_SETTINGS', message: `${JSON.stringify(value)} is no ${datatype}` },
    ]);
  });

  test('where each request chooses more than its rows', () => {
    expect(found([1], 'FP32', [-1, -1])).toMatchObject([
      { code: 'E_SETTINGS', message: expect.stringContaining('[-1, -1]') },
    ]);
  });

  test('with names that every object has', () => {
    const settings = effectiveSettings([{ fallback: { outputs: { constructor: [1] } } }]);

    expect(misfits(settings, { inputs: {}, outputs: {} })).toMatchObject([{ code: 'E_REFERENCE' }]);
  });

  test('knows every datatype', () => {
    for (const datatype of Datatype.options)
      expect(found([{} as never], datatype)).toMatchObject([{ code: 'E_SETTINGS' }]);
  });
});
