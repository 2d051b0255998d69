import type { JsonSchema } from './tensor-schema.ts';

/** What of a schema of the contract package is asked here. */
interface ContractSchema {
  toJSONSchema(options: { io: 'input' }): object;
}

/** As the contract package has it, in OpenAPI's terms. */
export function contract(schema: ContractSchema): JsonSchema {
  const { $schema: _, ...rest } = schema.toJSONSchema({ io: 'input' }) as JsonSchema;
  return rest;
}
