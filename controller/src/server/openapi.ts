import { z } from 'zod';
import { ProblemDetails } from './problem.ts';
import type { Endpoint, Route } from './route.ts';
import { STATUS_OF_ANSWER } from './status-codes.ts';

type Json = Record<string, unknown>;

/** OpenAPI 3.1 of the route table: what is served and what is described are the same data. */
export function describe(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:([a-zA-Z0-9]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchback management API',
      version,
      description:
        'Reads what the controller knows, and asks for what is safe at once. What goes forward goes by git.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(ProblemDetails) },
      securitySchemes: {
        operator: { type: 'http', scheme: 'bearer', description: 'operator-token of the state directory' },
        runtime: { type: 'http', scheme: 'bearer', description: 'runtime-token of the state directory' },
      },
    },
  };
}

function operation({ method, path, verb, scope, endpoint }: Route): Json {
  const { summary, params, query, body } = endpoint;
  const parameters = [...parametersIn('path', params), ...parametersIn('query', query)];
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-zA-Z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    summary,
    'x-verb': verb,
    security: scope === 'anybody' ? [] : [{ [scope]: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: json(jsonSchema(body, 'input')) } } : {}),
    responses: responses(endpoint),
  };
}

function responses({ answers }: Endpoint): Json {
  const described = Object.entries(answers).map(([kind, schema]) => {
    const status = STATUS_OF_ANSWER[kind as keyof typeof STATUS_OF_ANSWER];
    return [status, { description: kind, ...(schema ? { content: json(jsonSchema(schema)) } : {}) }];
  });
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return { ...Object.fromEntries(described), default: { description: 'What went wrong', content: problem } };
}

/** Values of a path or query arrive as text; what is described is what they stand for. */
function parametersIn(place: 'path' | 'query', schema: z.ZodObject): Json[] {
  const { properties = {} } = jsonSchema(schema);
  return Object.entries(properties as Json).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: property,
  }));
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'throw' });
  return rest;
}
