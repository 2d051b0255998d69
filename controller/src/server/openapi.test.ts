import { describe, expect, test } from 'vitest';
import { routes } from './routes.ts';
import { appOf, worldWith } from './world.fixture.ts';

interface Description {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object; securitySchemes: object };
}

interface Operation {
  operationId: string;
  summary: string;
  'x-verb': string;
  security: Record<string, string[]>[];
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

describe('the description', () => {
  test('is served to anybody and has every route, with its verb and the token it needs', async () => {
    await using world = await worldWith();
    const { openapi, paths } = await description();

    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { 'x-verb': verb, security }]) =>
          `${method.toUpperCase()} ${path} ${verb} ${security.map(it => Object.keys(it)).join() || 'anybody'}`,
      ),
    );
    const served = routes(world, '1').map(
      ({ method, path, verb, scope }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')} ${verb} ${scope}`,
    );
    expect(openapi).toBe('3.1.0');
    expect(described.sort()).toEqual(served.sort());
  });

  test('names each operation once, and each parameter of each path', async () => {
    const { paths } = await description();
    const operations = Object.values(paths).flatMap(methods => Object.values(methods));

    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const [path, methods] of Object.entries(paths))
      for (const { parameters = [], summary } of Object.values(methods)) {
        const inPath = parameters.filter(it => it.in === 'path').map(({ name }) => name);
        expect(inPath, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
        expect(summary).not.toBe('');
      }
  });

  test('refers only to what it holds', async () => {
    const described = await description();
    const references = [...JSON.stringify(described).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path,
    );

    expect(references.length).toBeGreaterThan(0);
    for (const path of references) {
      const found = path
        ?.split('/')
        .reduce((at: unknown, key) => (at as Record<string, unknown>)?.[key], described);
      expect(found, path).toBeDefined();
    }
  });

  test('tells what may be asked, and in which form it is answered', async () => {
    const { paths } = await description();
    const events = paths['/api/v1alpha1/events']?.['get'];
    const rollback = paths['/api/v1alpha1/environments/{environment}/models/{model}/rollback']?.['post'];

    expect(events?.parameters?.find(({ name }) => name === 'limit')).toEqual({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { default: 100, type: 'integer', minimum: 1, maximum: 500 },
    });
    expect(rollback?.requestBody?.content['application/json']?.schema).toMatchObject({
      required: ['reason'],
      additionalProperties: false,
    });
    expect(Object.keys(rollback?.responses ?? {})).toEqual(['202', 'default']);
    expect(rollback?.responses['default']?.content).toHaveProperty('application/problem+json');
  });
});

async function description(): Promise<Description> {
  await using world = await worldWith();
  await using app = appOf(world);
  const answer = await app.inject('/api/v1alpha1/openapi.json');
  expect(answer.statusCode).toBe(200);
  return answer.json();
}
