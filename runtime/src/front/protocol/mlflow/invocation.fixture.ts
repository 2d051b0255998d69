import type { Backend, Datatype } from '@switchback-ml/schemas';
import type { InferenceInput } from '../../../inference/call.ts';
import { backendOf, messageOf } from '../tf-serving/protocol.fixture.ts';
import { decodeInvocation } from './request.ts';

/** A model with one input. */
export const X = (datatype: Datatype, ...shape: number[]): Backend => backendOf({ x: { datatype, shape } });

/** A model with an input for each column. */
export const LOAN = backendOf({
  income: { datatype: 'FP32', shape: [-1, 1] },
  years: { datatype: 'INT64', shape: [-1] },
  purpose: { datatype: 'BYTES', shape: [-1, 1] },
  married: { datatype: 'BOOL', shape: [-1] },
});

export const COLUMNS = ['purpose', 'income', 'married', 'years'];
export const ROWS = [
  ['car', 1.5, true, 3],
  ['boat', -2, false, 9007199254740991],
];

/** What those rows are to that model. */
export const LOAN_TENSORS = [
  ['income', { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1.5, -2) }],
  ['years', { datatype: 'INT64', shape: [2], data: BigInt64Array.of(3n, 9007199254740991n) }],
  ['purpose', { datatype: 'BYTES', shape: [2, 1], data: ['car', 'boat'] }],
  ['married', { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) }],
];

/** A model that keeps no names of its columns. */
export const IRIS = X('FP32', -1, 2);

export function read(json: unknown, to: Backend): InferenceInput {
  const body = typeof json === 'string' ? json : JSON.stringify(json);
  return decodeInvocation(messageOf(body, { 'content-type': 'application/json' })).read(to);
}

export function readCsv(text: string, to: Backend): InferenceInput {
  return decodeInvocation(messageOf(text, { 'content-type': 'text/csv' })).read(to);
}
