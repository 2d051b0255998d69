import type { Datatype, TensorSpec } from '@switchback-ml/schemas';
import { INTEGERS } from '../protocol/tensors/ranges.ts';

/** A JSON Schema, 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Which way an element goes: what may be sent is more than what is answered, but for a float that is not finite. */
export type Way = 'sent' | 'answered';

/** Of one element in JSON. */
export function elementSchema(datatype: Datatype, way: Way): JsonSchema {
  switch (datatype) {
    case 'BYTES':
      return { type: 'string' };
    case 'BOOL':
      return way === 'sent' ? { enum: [true, false, 0, 1] } : { type: 'boolean' };
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return { type: way === 'sent' ? 'number' : ['number', 'null'], ...FORMATS[datatype] };
    default:
      return integerSchema(datatype);
  }
}

/** Bounds of 64 bits are left out: a reader of JSON that holds numbers in doubles would round them outwards. */
function integerSchema(datatype: Datatype): JsonSchema {
  const range = INTEGERS[datatype];
  if (range !== undefined) return { type: 'integer', minimum: range[0], maximum: range[1] };
  return { type: 'integer', ...(datatype === 'UINT64' && { minimum: 0 }), ...FORMATS[datatype] };
}

/** Names of OpenAPI's format registry. */
const FORMATS: Partial<Record<Datatype, JsonSchema>> = {
  FP32: { format: 'float' },
  FP64: { format: 'double' },
  INT64: { format: 'int64' },
  UINT64: { format: 'uint64' },
};

/** Of V2's list of dimensions. */
export function shapeSchema({ shape }: TensorSpec): JsonSchema {
  const dimensions = shape.map(size => (size === -1 ? { type: 'integer', minimum: 0 } : { const: size }));
  return {
    type: 'array',
    minItems: shape.length,
    maxItems: shape.length,
    ...(dimensions.length > 0 && { prefixItems: dimensions }),
    items: { type: 'integer' },
  };
}

/** Lists nested to the shape, around elements of that schema; a bare element where there are no dimensions. */
export function nestedSchema(shape: readonly number[], element: JsonSchema): JsonSchema {
  return shape.reduceRight<JsonSchema>(
    (items, size) => ({ type: 'array', items, ...(size !== -1 && { minItems: size, maxItems: size }) }),
    element,
  );
}

/** The schema itself where there is only one; anything where there is none. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  return schemas.length > 1 ? { anyOf: schemas } : (schemas[0] ?? {});
}

/** An object that has each of these. */
export function objectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: JsonSchema = {},
): JsonSchema {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
  };
}

/** The same for tensors, and nothing besides. Their names may be any, one that common validators are blind to among them. */
export function objectByName(schemas: readonly (readonly [name: string, schema: JsonSchema])[]): JsonSchema {
  const names = schemas.map(([name]) => name);
  return {
    type: 'object',
    required: names,
    properties: Object.fromEntries(schemas),
    ...(!names.includes('__proto__') && { additionalProperties: false }),
  };
}

export function ref(schema: string): JsonSchema {
  return { $ref: `#/components/schemas/${schema}` };
}
