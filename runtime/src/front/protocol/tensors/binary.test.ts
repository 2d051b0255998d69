import type { Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ARRAYS, type FixedDatatype } from '../../../engine/tensor.ts';
import type { SwitchbackError } from '../../../error.ts';
import { bytesOf, readBytes } from './binary.ts';

function refusal(act: () => unknown): SwitchbackError {
  try {
    act();
  } catch (error) {
    return error as SwitchbackError;
  }
  throw new Error('nothing was refused');
}

test('bytes read and printed again are the same, for every datatype and wherever they lie in memory', () => {
  const datatypes = Object.keys(ARRAYS) as FixedDatatype[];
  fc.assert(
    fc.property(
      fc.constantFrom(...datatypes),
      fc.uint8Array({ minLength: 8, maxLength: 64 }),
      fc.nat({ max: 7 }),
      (datatype, random, offset) => {
        const width = ARRAYS[datatype].BYTES_PER_ELEMENT;
        const count = Math.floor(random.length / width);
        const bytes = datatype === 'BOOL' ? random.map(byte => byte % 2) : random;
        const memory = Buffer.alloc(offset + bytes.length);
        memory.set(bytes, offset);
        const part = memory.subarray(offset, offset + count * width);

        const data = readBytes('x', datatype, [count], part);

        expect(data).toHaveLength(count);
        expect([...bytesOf(data)]).toEqual([...part]);
      },
    ),
  );
});

test('a NaN keeps its bits', () => {
  const bits = Buffer.from('010080ff', 'hex');

  expect([...bytesOf(readBytes('x', 'FP32', [1], bits))]).toEqual([...bits]);
});

test('texts read and printed again are the same', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), texts => {
      expect(readBytes('x', 'BYTES', [texts.length], bytesOf(texts))).toEqual(texts);
    }),
  );
});

const TEXT = bytesOf(['ab']);

test.each<[string, Datatype, number[], Uint8Array, object]>([
  ['too few bytes', 'FP32', [2], new Uint8Array(7), { expected: 'FP32 [2] takes 8 bytes', got: '7 bytes' }],
  ['too many bytes', 'INT8', [2], new Uint8Array(3), { got: '3 bytes' }],
  ['a flag that is neither 0 nor 1', 'BOOL', [2], Uint8Array.of(0, 2), { index: 1, got: '2' }],
  ['fewer texts', 'BYTES', [2], TEXT, { expected: 'its shape needs 2 elements', got: '1 elements' }],
  ['more texts', 'BYTES', [1], Buffer.concat([TEXT, TEXT]), { got: '12 bytes' }],
  ['a text that is cut', 'BYTES', [1], TEXT.subarray(0, 5), { index: 0 }],
  ['a length that is cut', 'BYTES', [2], Buffer.concat([TEXT, Buffer.alloc(3)]), { index: 1 }],
  ['a length beyond the bytes', 'BYTES', [1], Buffer.from('ffffffff61', 'hex'), { index: 0 }],
  [
    'a text that is no UTF-8',
    'BYTES',
    [1],
    Buffer.from('01000000ff', 'hex'),
    { index: 0, expected: 'text in UTF-8' },
  ],
])('%s are refused', (_, datatype, shape, bytes, details) => {
  const error = refusal(() => readBytes('x', datatype, shape, bytes));

  expect(error).toMatchObject({ code: 'E_INPUT', details: { tensor: 'x', ...details } });
});
