import { ANSWERED_BY, type ErrorCode, TIMEOUT_HEADER, TOLD_BY } from '@switchback-ml/schemas';
import { statusOf } from '../status.ts';
import type { Example } from './examples.ts';
import type { JsonSchema } from './tensor-schema.ts';

/** An operation of OpenAPI, or a part of one. Texts in it are ours: no name of a model or tensor is in markdown. */
export type Part = Readonly<Record<string, unknown>>;

/** Of the content type that JSON has here. */
export const JSON_TYPE = 'application/json';

/** What an inference call may be refused with, whatever the protocol. */
const CODES: readonly ErrorCode[] = [
  'E_BODY',
  'E_INPUT',
  'E_UNAUTHENTICATED',
  'E_MODEL_UNKNOWN',
  'E_BODY_TOO_LARGE',
  'E_MEDIA_TYPE',
  'E_OVERLOADED',
  'E_ENGINE_MEMORY',
  'E_INTERNAL',
  'E_MODEL_NOT_READY',
  'E_ENGINE_DIED',
  'E_ENGINE_TIMEOUT',
  'E_DEADLINE',
];

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'The body is no request, or not one that this model takes; `details` says what was expected and what came.',
  401: 'No inference key of this environment.',
  404: 'There is no such model or version here.',
  413: 'The body is too large, also once decompressed.',
  415: 'The content type, or the content encoding, is none that is taken here.',
  429: 'Too much waits already.',
  500: 'A fault of the server.',
  503: 'Nobody can answer now.',
  504: 'It took longer than it may.',
};
const WITH_RETRY_AFTER: readonly number[] = [429, 503];

/** Refusals of an inference call by status, each with its codes; `error` is the shape of them. */
export function refusals(error: JsonSchema): Part {
  const byStatus = Map.groupBy(CODES, statusOf);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, refusal(status, codes, error)]));
}

/** One refusal of another call. */
export function refusal(status: number, codes: readonly ErrorCode[], error: JsonSchema): Part {
  return {
    description: MEANINGS[status] ?? 'Refused.',
    ...(WITH_RETRY_AFTER.includes(status) && { headers: { 'retry-after': headerRef('retry-after') } }),
    content: { [JSON_TYPE]: { schema: { allOf: [error, { properties: { code: { enum: codes } } }] } } },
  };
}

/** JSON of that schema. */
export function answers(description: string, schema: JsonSchema, more: Part = {}): Part {
  return { description, content: { [JSON_TYPE]: { schema } }, ...more };
}

/** The same in both content types' terms: examples by their form. */
export function examplesPart(examples: readonly Example[], of: 'request' | 'answer'): Part {
  const told = examples.filter(({ answer }) => of === 'request' || answer !== undefined);
  if (told.length === 0) return {};
  const entries = told.map(({ name, summary, value, answer }) => [
    name,
    { summary, value: of === 'request' ? value : answer },
  ]);
  return { examples: Object.fromEntries(entries) };
}

const TOLD: Readonly<Record<string, { description: string; schema: JsonSchema }>> = {
  [ANSWERED_BY.version]: { description: 'The version that answered.', schema: { type: 'string' } },
  [ANSWERED_BY.revision]: {
    description: 'The revision that answered: version and settings.',
    schema: { type: 'string' },
  },
  [TOLD_BY.digest]: { description: 'The digest of that version.', schema: { type: 'string' } },
  [TOLD_BY.commit]: {
    description: 'The commit of the model repository that it is served from.',
    schema: { type: 'string' },
  },
  [ANSWERED_BY.from]: {
    description: 'Only on an answer that was not run for this request.',
    schema: { enum: ['memory', 'redis', 'shared'] },
  },
  [TOLD_BY.predictionId]: {
    description: 'Only on an answer of which a sample is kept: its id there.',
    schema: { type: 'string' },
  },
  [TOLD_BY.timing]: { description: 'Milliseconds of each stage.', schema: { type: 'string' } },
};

/** Headers of every answer of a model. */
export const ANSWER_HEADERS: Part = Object.fromEntries(
  Object.keys(TOLD).map(name => [name, headerRef(name)]),
);

function headerRef(name: string): Part {
  return { $ref: `#/components/headers/${name}` };
}

/** What operations refer to. */
export const COMPONENTS = {
  headers: {
    ...TOLD,
    'retry-after': {
      description: 'Seconds after which to try again.',
      schema: { type: 'integer', minimum: 1 },
    },
  },
  parameters: {
    timeout: {
      name: TIMEOUT_HEADER,
      in: 'header',
      description:
        'Milliseconds after which nobody cares for the answer: what has not begun by then is not begun.',
      schema: { type: 'number', exclusiveMinimum: 0 },
    },
  },
  securitySchemes: {
    inferenceKey: { type: 'http', scheme: 'bearer', description: 'An inference key of this environment.' },
  },
};

export const TIMEOUT_PARAMETER = { $ref: '#/components/parameters/timeout' };

/** What wants an inference key, and what is open to all. */
export const KEYED = [{ inferenceKey: [] }];
export const OPEN = { security: [] };
