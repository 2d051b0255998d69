import {
  InferenceError,
  ModelMetadata,
  ModelReadiness,
  ModelStatistics,
  type TensorSpec,
} from '@switchback-ml/schemas';
import { HEAD_LENGTH } from '../protocol/v2/head-length.ts';
import { v2 } from '../protocol/v2/index.ts';
import { MOST_ID_CHARS } from '../protocol/v2/said.ts';
import { contract } from './contract.ts';
import type { Described, Section } from './described.ts';
import { type Example, examplesThatHold } from './examples.ts';
import {
  ANSWER_HEADERS,
  answers,
  examplesPart,
  JSON_TYPE,
  type Part,
  refusal,
  refusals,
  TIMEOUT_PARAMETER,
} from './operation.ts';
import { anyOf, elementSchema, type JsonSchema, objectOf, ref, shapeSchema } from './tensor-schema.ts';

const TAG = 'Open Inference Protocol';
const BINARY_TYPE = 'application/octet-stream';
const BINARY =
  'In binary a body is JSON, and behind it the bytes of each tensor that has the parameter `binary_data_size`, in the ' +
  'order in which the JSON names them: row-major, little-endian, without padding. The header ' +
  '`Inference-Header-Content-Length` says how many bytes the JSON has.';

/** The model by the Open Inference Protocol, version 2. */
export function v2Section(described: Described): Section {
  const { model, version } = described;
  const path = `/v2/models/${model}${version === null ? '' : `/versions/${version}`}`;
  const unknown = { '404': refusal(404, ['E_MODEL_UNKNOWN'], ref('V2Error')) };
  const asked = (operationId: string, summary: string, responses: Part): Part => ({
    get: { operationId, summary, tags: [TAG], responses: { ...responses, ...unknown } },
  });
  return {
    tag: { name: TAG, description: 'Version 2, over HTTP.' },
    paths: {
      [`${path}/infer`]: { post: inferOperation(described) },
      [path]: asked('metadata', 'What the model takes and gives', {
        '200': answers(
          'Versions, inputs and outputs; -1 is a dimension that each request chooses.',
          ref('Metadata'),
        ),
      }),
      [`${path}/ready`]: asked('ready', 'Whether it can answer now', {
        '200': answers('It can.', ref('Readiness')),
        '503': answers('It can not, and why.', ref('Readiness')),
      }),
      [`${path}/config`]: asked('config', 'How its requests are put together', {
        '200': answers('In the terms of the model_configuration extension.', { type: 'object' }),
      }),
      [`${path}/stats`]: asked('stats', 'How often it was asked, and how long it took', {
        '200': answers('Of each version since this process first met it.', ref('Statistics')),
      }),
    },
    schemas: { ...requestSchemas(described), ...responseSchemas(described), ...OTHER_SCHEMAS },
  };
}

const OTHER_SCHEMAS = {
  V2Error: contract(InferenceError),
  Metadata: contract(ModelMetadata),
  Readiness: contract(ModelReadiness),
  Statistics: objectOf({ model_stats: { type: 'array', items: contract(ModelStatistics) } }),
};

function inferOperation(described: Described): Part {
  const examples = v2Examples(described);
  const binary = { schema: { type: 'string', contentMediaType: BINARY_TYPE } };
  return {
    operationId: 'infer',
    summary: 'Ask the model',
    description: `Tensors go as JSON or in binary. ${BINARY}`,
    tags: [TAG],
    parameters: [TIMEOUT_PARAMETER, HEAD_LENGTH_PARAMETER],
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: { schema: ref('InferenceRequest'), ...examplesPart(examples, 'request') },
        [BINARY_TYPE]: binary,
      },
    },
    responses: {
      '200': {
        description: 'The outputs; in binary, where any of them was asked for so.',
        headers: { ...ANSWER_HEADERS, [HEAD_LENGTH]: HEAD_LENGTH_HEADER },
        content: {
          [JSON_TYPE]: { schema: ref('InferenceResponse'), ...examplesPart(examples, 'answer') },
          [BINARY_TYPE]: binary,
        },
      },
      ...refusals(ref('V2Error')),
    },
  };
}

const HEAD_LENGTH_SCHEMA = { type: 'integer', minimum: 0 };
const HEAD_LENGTH_PARAMETER = {
  name: HEAD_LENGTH,
  in: 'header',
  description: 'Bytes of JSON that the body begins with, where tensors in binary follow; only then.',
  schema: HEAD_LENGTH_SCHEMA,
};
const HEAD_LENGTH_HEADER = {
  description:
    'Bytes of JSON that the body begins with, once decompressed, where an output in binary follows.',
  schema: HEAD_LENGTH_SCHEMA,
};

function v2Examples({ model, backend, row }: Described): Example[] {
  if (row === null) return [];
  const inputs = row.inputs.map(({ name, shape, datatype, data }) => ({ name, shape, datatype, data }));
  const summary = row.golden === null ? 'A request of the right shape' : 'A golden row';
  const draft = { name: 'row', summary, contentType: JSON_TYPE, value: { inputs } };
  return examplesThatHold([draft], v2, model, backend, row.golden);
}

const PARAMETERS: JsonSchema = {
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
};

function requestSchemas({ backend: { signature } }: Described): Record<string, JsonSchema> {
  const inputs = Object.entries(signature.inputs);
  const names = inputs.map((_, index) => `Input${index + 1}`);
  const outputs = {
    type: 'array',
    description: 'Those that are wanted; all, where this is left out.',
    items: objectOf({ name: { enum: Object.keys(signature.outputs) } }, { parameters: PARAMETERS }),
  };
  const all = {
    type: 'array',
    minItems: inputs.length,
    maxItems: inputs.length,
    items: anyOf(names.map(ref)),
  };
  return {
    ...Object.fromEntries(inputs.map(([name, spec], index) => [names[index], inputSchema(name, spec)])),
    InferenceRequest: objectOf(
      { inputs: all },
      { id: { type: 'string', maxLength: MOST_ID_CHARS }, parameters: PARAMETERS, outputs },
    ),
  };
}

function inputSchema(name: string, spec: TensorSpec): JsonSchema {
  const element = elementSchema(spec.datatype, 'sent');
  const items = spec.shape.length > 1 ? { anyOf: [element, { type: 'array' }] } : element;
  const data = { type: 'array', description: 'Flat and row-major, or nested to the shape.', items };
  return { title: name, ...objectOf({ ...tensorHead(name, spec), data }, { parameters: PARAMETERS }) };
}

function responseSchemas({ model, backend: { signature } }: Described): Record<string, JsonSchema> {
  const outputs = Object.entries(signature.outputs);
  const names = outputs.map((_, index) => `Output${index + 1}`);
  const classified = outputs.flatMap(([name, { datatype }]) => (datatype === 'BYTES' ? [] : [name]));
  const all = classified.length === 0 ? names : [...names, 'ClassifiedOutput'];
  return {
    ...Object.fromEntries(outputs.map(([name, spec], index) => [names[index], outputSchema(name, spec)])),
    ...(classified.length > 0 && { ClassifiedOutput: classifiedSchema(classified) }),
    InferenceResponse: objectOf(
      {
        model_name: { const: model },
        model_version: { type: 'string' },
        outputs: { type: 'array', items: anyOf(all.map(ref)) },
      },
      { id: { type: 'string' } },
    ),
  };
}

function outputSchema(name: string, spec: TensorSpec): JsonSchema {
  const data = { type: 'array', items: elementSchema(spec.datatype, 'answered') };
  return { title: name, ...objectOf({ ...tensorHead(name, spec), data }, { parameters: PARAMETERS }) };
}

function tensorHead(name: string, spec: TensorSpec): Record<string, JsonSchema> {
  return { name: { const: name }, shape: shapeSchema(spec), datatype: { const: spec.datatype } };
}

function classifiedSchema(names: readonly string[]): JsonSchema {
  return {
    description: 'Of an output that was asked for with the parameter `classification`: texts `score:index`.',
    ...objectOf({
      name: { enum: names },
      shape: { type: 'array', items: { type: 'integer' } },
      datatype: { const: 'BYTES' },
      data: { type: 'array', items: { type: 'string' } },
    }),
  };
}
