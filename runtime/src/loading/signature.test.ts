import type { Signature } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { isBatchable, signatureDifference } from './signature.ts';

const SIGNATURE: Signature = {
  inputs: { x: { datatype: 'FP32', shape: [-1, 30] } },
  outputs: { y: { datatype: 'FP32', shape: [-1, 1] } },
};
const withX = (x: Signature['inputs'][string]): Signature => ({ ...SIGNATURE, inputs: { x } });

test('equal signatures do not differ', () => {
  expect(signatureDifference(SIGNATURE, structuredClone(SIGNATURE))).toBeNull();
});

test.each<[string, Signature, string]>([
  [
    'another shape',
    withX({ datatype: 'FP32', shape: [-1, 29] }),
    'declared as FP32 [-1, 30] and is FP32 [-1, 29]',
  ],
  ['another datatype', withX({ datatype: 'FP64', shape: [-1, 30] }), 'FP64 [-1, 30]'],
  ['a missing input', { ...SIGNATURE, inputs: {} }, 'has no input "x"'],
  [
    'one output more',
    { ...SIGNATURE, outputs: { ...SIGNATURE.outputs, z: { datatype: 'BOOL', shape: [] } } },
    'undeclared output "z"',
  ],
])('a graph with %s is said to differ in it', (_, graph, difference) => {
  expect(signatureDifference(SIGNATURE, graph)).toContain(difference);
});

test('only a graph that takes and gives any number of rows is batched', () => {
  expect(isBatchable(SIGNATURE)).toBe(true);
  expect(isBatchable(withX({ datatype: 'FP32', shape: [1, 30] }))).toBe(false);
  expect(isBatchable({ ...SIGNATURE, outputs: { y: { datatype: 'FP32', shape: [] } } })).toBe(false);
});
