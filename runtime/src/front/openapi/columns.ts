import type { TensorSpec } from '@switchback-ml/schemas';
import { nested, type Row } from './row.ts';
import {
  anyOf,
  elementSchema,
  type JsonSchema,
  nestedSchema,
  objectByName,
  objectOf,
} from './tensor-schema.ts';

/*
 * Nested lists by row and by column, as TensorFlow Serving and MLflow have them.
 */
export type Specs = Readonly<Record<string, TensorSpec>>;

/** Whether the texts of an output of this name go as base64. */
type IsBytes = (output: string) => boolean;

const BASE64 = objectOf({ b64: { type: 'string' } });

/** Each row an object of all inputs by name. */
export function instancesOf({ inputs }: Row): object[] {
  const columns = inputs.map(input => [input.name, nested(input)] as const);
  const rows = inputs[0]?.shape[0] ?? 0;
  return Array.from({ length: rows }, (_, index) =>
    Object.fromEntries(columns.map(([name, values]) => [name, (values as readonly unknown[])[index]])),
  );
}

/** All inputs by name. */
export function columnsOf({ inputs }: Row): object {
  return Object.fromEntries(inputs.map(input => [input.name, nested(input)]));
}

/** What `inputs` holds: all of them by name, or the value of the only one. */
export function columnsSchema(specs: Specs): JsonSchema {
  const values = Object.entries(specs).map(([name, spec]) => [name, sentValue(spec, spec.shape)] as const);
  const byName = objectByName(values);
  return values.length === 1 ? anyOf([byName, values[0]![1]]) : byName;
}

/** One of `instances`, of a model that takes rows. */
export function rowSchema(specs: Specs): JsonSchema {
  const values = Object.entries(specs).map(([name, spec]) => [name, rowValue(spec)] as const);
  const byName = objectByName(values);
  return values.length === 1 ? anyOf([byName, values[0]![1]]) : byName;
}

/** A list of one may be that one. */
function rowValue(spec: TensorSpec): JsonSchema {
  const whole = sentValue(spec, spec.shape.slice(1));
  const isColumn = spec.shape.length === 2 && spec.shape[1] === 1;
  return isColumn ? anyOf([sentValue(spec, []), whole]) : whole;
}

function sentValue({ datatype }: TensorSpec, shape: readonly number[]): JsonSchema {
  const element = elementSchema(datatype, 'sent');
  return nestedSchema(shape, datatype === 'BYTES' ? anyOf([element, BASE64]) : element);
}

/** The only output as it is, or an object of all of them by name. */
export function answeredColumns(specs: Specs, isBytes: IsBytes): JsonSchema {
  const values = Object.entries(specs).map(([name, spec]) => {
    return [name, answeredValue(spec, spec.shape, isBytes(name))] as const;
  });
  return values.length === 1 ? values[0]![1] : objectByName(values);
}

/** One row of all outputs by name. */
export function answeredRow(specs: Specs, isBytes: IsBytes): JsonSchema {
  const values = Object.entries(specs).map(([name, spec]) => {
    return [name, answeredValue(spec, spec.shape.slice(1), isBytes(name))] as const;
  });
  return objectByName(values);
}

function answeredValue({ datatype }: TensorSpec, shape: readonly number[], asBytes: boolean): JsonSchema {
  return nestedSchema(shape, datatype === 'BYTES' && asBytes ? BASE64 : elementSchema(datatype, 'answered'));
}
