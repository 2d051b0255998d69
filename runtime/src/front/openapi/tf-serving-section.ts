import { InferenceError, type Signature } from '@switchback-ml/schemas';
import { isBatchable } from '../../loading/signature.ts';
import { findTfServing } from '../protocol/tf-serving/index.ts';
import {
  answeredColumns,
  answeredRow,
  columnsOf,
  columnsSchema,
  instancesOf,
  rowSchema,
  type Specs,
} from './columns.ts';
import { contract } from './contract.ts';
import type { Described, Section } from './described.ts';
import { type Draft, type Example, examplesThatHold } from './examples.ts';
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
import type { Row } from './row.ts';
import { anyOf, type JsonSchema, objectOf, ref } from './tensor-schema.ts';

const TAG = 'TensorFlow Serving';

/** The model by TensorFlow Serving's REST API, which is KServe's first protocol as well. */
export function tfServingSection(described: Described): Section {
  const { model, version } = described;
  const path = `/v1/models/${model}${version === null ? '' : `/versions/${version}`}`;
  const asked = (operationId: string, summary: string): Part => ({
    get: {
      operationId,
      summary,
      tags: [TAG],
      responses: {
        '200': answers('In its own terms.', { type: 'object' }),
        '404': refusal(404, ['E_MODEL_UNKNOWN'], ref('PredictError')),
      },
    },
  });
  return {
    tag: { name: TAG, description: 'Its REST API, row by row or by columns.' },
    paths: {
      [`${path}:predict`]: { post: predictOperation(described) },
      [path]: asked('status', 'How its versions stand'),
      [`${path}/metadata`]: asked('signature', 'What the model takes and gives'),
    },
    schemas: { ...predictSchemas(described), PredictError: contract(InferenceError) },
  };
}

function predictOperation(described: Described): Part {
  const examples = predictExamples(described);
  return {
    operationId: 'predict',
    summary: 'Ask the model',
    tags: [TAG],
    parameters: [TIMEOUT_PARAMETER],
    requestBody: {
      required: true,
      content: { [JSON_TYPE]: { schema: ref('PredictRequest'), ...examplesPart(examples, 'request') } },
    },
    responses: {
      '200': {
        description: '`predictions` to `instances`, `outputs` to `inputs`; what is not finite is `null`.',
        headers: ANSWER_HEADERS,
        content: { [JSON_TYPE]: { schema: ref('PredictResponse'), ...examplesPart(examples, 'answer') } },
      },
      ...refusals(ref('PredictError')),
    },
  };
}

function predictExamples({ model, backend, row }: Described): Example[] {
  const { protocol } = findTfServing(`/v1/models/${model}:predict`)!;
  return row === null ? [] : examplesThatHold(drafts(row), protocol, model, backend, row.golden);
}

function drafts(row: Row): Draft[] {
  return [
    { name: 'rows', summary: 'Row by row', contentType: JSON_TYPE, value: { instances: instancesOf(row) } },
    { name: 'columns', summary: 'By columns', contentType: JSON_TYPE, value: { inputs: columnsOf(row) } },
  ];
}

function predictSchemas({ backend: { signature } }: Described): Record<string, JsonSchema> {
  const columns = objectOf({ inputs: columnsSchema(signature.inputs) }, SIGNATURE_NAME);
  const instances = { type: 'array', minItems: 1, items: rowSchema(signature.inputs) };
  const rows = objectOf({ instances }, SIGNATURE_NAME);
  return {
    PredictRequest: anyOf(hasRows(signature) ? [rows, columns] : [columns]),
    PredictResponse: anyOf([
      objectOf({ predictions: predictionsSchema(signature.outputs) }),
      objectOf({ outputs: answeredColumns(signature.outputs, isBytes) }),
    ]),
  };
}

/** Whether requests can be told row by row: answers are, so outputs need rows in common where there are several. */
function hasRows(signature: Signature): boolean {
  const [first, ...others] = Object.values(signature.outputs);
  const inputs = Object.values(signature.inputs);
  if (inputs.some(({ shape }) => shape.length === 0)) return false;
  if (others.length === 0 || isBatchable(signature)) return true;
  const rows = first?.shape[0];
  return rows !== undefined && rows !== -1 && others.every(({ shape }) => shape[0] === rows);
}

const SIGNATURE_NAME = { signature_name: { enum: ['', 'serving_default'] } };

/** The only output as it is, or an object of all of them by name for each row. */
function predictionsSchema(specs: Specs): JsonSchema {
  if (Object.keys(specs).length === 1) return answeredColumns(specs, isBytes);
  return { type: 'array', items: answeredRow(specs, isBytes) };
}

/** How this protocol tells bytes from text in an answer: by the name. */
function isBytes(output: string): boolean {
  return output.endsWith('_bytes');
}
