import { InferenceError, RepositoryIndex, ServerMetadata } from '@switchback-ml/schemas';
import { contract } from './contract.ts';
import type { Section } from './described.ts';
import { documentOf } from './document.ts';
import { answers, JSON_TYPE, OPEN, type Part, refusal } from './operation.ts';
import { objectOf, ref } from './tensor-schema.ts';

/** What a runtime answers besides its models. What it tells controllers alone is left out. */
export function runtimeDocument(): Part {
  const about = {
    title: 'Switchback runtime',
    description:
      'What this runtime answers besides its models. Each model, and each version of it, has a document of its own at ' +
      '`/v2/models/{model}/openapi.json` and `/v2/models/{model}/versions/{version}/openapi.json`.',
    root: '.',
  };
  return documentOf(about, [MODELS, HEALTH, OPERATION]);
}

const REFUSED = { '401': refusal(401, ['E_UNAUTHENTICATED'], ref('Error')) };
const UNKNOWN = { ...REFUSED, '404': refusal(404, ['E_MODEL_UNKNOWN'], ref('Error')) };

function get(tag: string, operationId: string, summary: string, responses: Part, more: Part = {}): Part {
  return { get: { operationId, summary, tags: [tag], responses, ...more } };
}

const OF_MODEL = { parameters: [pathParameter('model')] };
const OF_VERSION = { parameters: [pathParameter('model'), pathParameter('version')] };
const NAMES = objectOf({ models: { type: 'array', items: { type: 'string' } } });
const IS_DOCUMENT = { '200': answers('An OpenAPI document.', { type: 'object' }), ...UNKNOWN };

const MODELS: Section = {
  tag: { name: 'Models', description: 'What there is to be asked.' },
  paths: {
    '/v2': get('Models', 'server', 'What this server is', {
      '200': answers('Its name, version and extensions.', ref('Server')),
      ...REFUSED,
    }),
    '/v2/models': get('Models', 'models', 'Names of the models', {
      '200': answers('All.', NAMES),
      ...REFUSED,
    }),
    '/v2/models/stats': get('Models', 'statistics', 'How often each was asked, and how long it took', {
      '200': answers('Of each version of each model.', objectOf({ model_stats: { type: 'array' } })),
      ...REFUSED,
    }),
    '/v1/models': get('Models', 'served', 'The same names', { '200': answers('All.', NAMES), ...REFUSED }),
    '/v2/repository/index': { post: indexOperation() },
    '/v2/repository/models/{model}/load': refusedVerb('load'),
    '/v2/repository/models/{model}/unload': refusedVerb('unload'),
    '/v2/models/{model}/openapi.json': get('Models', 'describe', 'How to ask a model', IS_DOCUMENT, OF_MODEL),
    '/v2/models/{model}/versions/{version}/openapi.json': get(
      'Models',
      'describeVersion',
      'How to ask one version of it',
      IS_DOCUMENT,
      OF_VERSION,
    ),
  },
  schemas: {
    Server: contract(ServerMetadata),
    Index: contract(RepositoryIndex),
    Error: contract(InferenceError),
  },
};

function indexOperation(): Part {
  const schema = { type: 'object', properties: { ready: { type: 'boolean' } } };
  const examples = {
    all: { summary: 'Every version', value: {} },
    ready: { summary: 'Ready ones', value: { ready: true } },
  };
  return {
    operationId: 'index',
    summary: 'Every version that is to be served here',
    tags: ['Models'],
    requestBody: { content: { [JSON_TYPE]: { schema, examples } } },
    responses: {
      '200': answers('How each stands, and why.', ref('Index')),
      '400': refusal(400, ['E_BODY'], ref('Error')),
      ...REFUSED,
    },
  };
}

function refusedVerb(verb: 'load' | 'unload'): Part {
  return {
    post: {
      operationId: verb,
      summary: `Is refused: what is served is written in git`,
      tags: ['Models'],
      ...OF_MODEL,
      responses: { '403': refusal(403, ['E_FORBIDDEN'], ref('Error')), ...REFUSED },
    },
  };
}

function pathParameter(name: string): Part {
  return { name, in: 'path', required: true, schema: { type: 'string' } };
}

/** An empty list where nothing is amiss. */
const REASONS = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      code: { type: 'string', description: 'Of the list of error codes, or `asleep`.' },
      model: { type: 'string', description: 'Absent where it is of no one model.' },
      version: { type: 'string', description: 'Absent where it is of no one version.' },
      message: { type: 'string', description: 'For a person; a program goes by the code.' },
    },
    required: ['code', 'message'],
  },
};
const READINESS = objectOf({ ready: { type: 'boolean' }, reasons: REASONS });
const STARTUP = objectOf({ started: { type: 'boolean' }, reasons: REASONS });

const HEALTH: Section = {
  tag: { name: 'Health', description: 'Open to all.' },
  paths: {
    '/v2/health/live': probe(
      'live',
      'Whether the process works',
      answers('It does.', objectOf({ live: { const: true } })),
    ),
    '/v2/health/startup': get(
      'Health',
      'hasStarted',
      'Whether what it is to serve has been loaded once; from then on it has',
      { '200': answers('It has.', STARTUP), '503': answers('Not yet, and why.', STARTUP) },
      OPEN,
    ),
    '/v2/health/ready': get(
      'Health',
      'isReady',
      'Whether requests can be sent here',
      { '200': answers('They can.', READINESS), '503': answers('Not now, and why.', READINESS) },
      OPEN,
    ),
    '/healthz': probe(
      'healthz',
      'Whether the process works',
      answers('It does.', objectOf({ ok: { const: true } })),
    ),
    '/ping': emptyProbe('ping'),
    '/health': emptyProbe('health'),
  },
  schemas: {},
};

function probe(operationId: string, summary: string, response: Part): Part {
  return get('Health', operationId, summary, { '200': response }, OPEN);
}

/** For whoever looks by status alone. */
function emptyProbe(operationId: string): Part {
  const responses = { '200': { description: 'They can.' }, '503': { description: 'Not now.' } };
  return get('Health', operationId, 'Whether requests can be sent here', responses, OPEN);
}

const TEXT = { content: { 'text/plain': { schema: { type: 'string' } } } };

const OPERATION: Section = {
  tag: { name: 'Operation', description: 'Open to all, but for this document.' },
  paths: {
    '/metrics': get(
      'Operation',
      'metrics',
      'For Prometheus',
      { '200': { description: 'Its text format.', ...TEXT } },
      OPEN,
    ),
    '/version': get(
      'Operation',
      'version',
      'Of this runtime',
      { '200': { description: 'As text.', ...TEXT } },
      OPEN,
    ),
    '/docs/': get(
      'Operation',
      'docs',
      'These documents, to be read and tried',
      { '200': { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } } },
      OPEN,
    ),
    '/openapi.json': get('Operation', 'openapi', 'This document', {
      '200': answers('An OpenAPI document.', { type: 'object' }),
      ...REFUSED,
    }),
  },
  schemas: {},
};
