import type { Signature, TensorSpec } from '@switchback-ml/schemas';
import { findMlflow } from '../protocol/mlflow/index.ts';
import { answeredColumns, columnsOf, columnsSchema, instancesOf, rowSchema } from './columns.ts';
import type { Described, Section } from './described.ts';
import { type Draft, type Example, examplesThatHold } from './examples.ts';
import {
  ANSWER_HEADERS,
  examplesPart,
  JSON_TYPE,
  type Part,
  refusals,
  TIMEOUT_PARAMETER,
} from './operation.ts';
import type { Row } from './row.ts';
import { anyOf, type JsonSchema, objectOf, ref } from './tensor-schema.ts';

const TAG = 'MLflow';
const CSV_TYPE = 'text/csv';

/** The model by MLflow's scoring call. */
export function mlflowSection(described: Described): Section {
  const { model, version, backend } = described;
  const path = `/models/${model}${version === null ? '' : `/versions/${version}`}/invocations`;
  return {
    tag: { name: TAG, description: 'Its scoring call: JSON in four forms, and CSV.' },
    paths: { [path]: { post: invokeOperation(described) } },
    schemas: {
      Invocation: invocationSchema(backend.signature),
      Predictions: objectOf({ predictions: answeredColumns(backend.signature.outputs, () => false) }),
      InvocationError: ERROR,
    },
  };
}

const ERROR: JsonSchema = objectOf(
  { error_code: { type: 'string' }, message: { type: 'string' }, code: { type: 'string' } },
  { details: {} },
);

function invokeOperation(described: Described): Part {
  const examples = invocationExamples(described);
  const of = (type: string): Example[] => examples.filter(({ contentType }) => contentType === type);
  const json = of(JSON_TYPE);
  return {
    operationId: 'invoke',
    summary: 'Ask the model',
    tags: [TAG],
    parameters: [TIMEOUT_PARAMETER],
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: { schema: ref('Invocation'), ...examplesPart(json, 'request') },
        [CSV_TYPE]: {
          schema: { type: 'string', description: 'A line of names, then a line for each row.' },
          ...examplesPart(of(CSV_TYPE), 'request'),
        },
      },
    },
    responses: {
      '200': {
        description: 'What is not finite is `null`.',
        headers: ANSWER_HEADERS,
        content: { [JSON_TYPE]: { schema: ref('Predictions'), ...examplesPart(json, 'answer') } },
      },
      ...refusals(ref('InvocationError')),
    },
  };
}

function invocationExamples({ model, backend, row }: Described): Example[] {
  const { protocol } = findMlflow(`/models/${model}/invocations`)!;
  return row === null ? [] : examplesThatHold(drafts(row), protocol, model, backend, row.golden);
}

function drafts(row: Row): Draft[] {
  const json = (form: string, summary: string, value: unknown): Draft => ({
    name: form,
    summary,
    contentType: JSON_TYPE,
    value: { [form]: value },
  });
  return [
    ...tableDrafts(row, json),
    json('instances', 'Row by row', instancesOf(row)),
    json('inputs', 'By columns', columnsOf(row)),
  ];
}

/** As a data frame, where a row is a line of cells. */
function tableDrafts(row: Row, json: (form: string, summary: string, value: unknown) => Draft): Draft[] {
  const table = tableOf(row);
  if (table === null) return [];
  const { columns, data } = table;
  const records = data.map(cells => Object.fromEntries(columns.map((name, index) => [name, cells[index]])));
  const csv = `${[columns, ...data].map(cells => cells.map(csvCell).join(',')).join('\n')}\n`;
  return [
    json('dataframe_split', 'A data frame, split', table),
    json('dataframe_records', 'A data frame, by records', records),
    { name: 'csv', summary: 'A data frame, as CSV', contentType: CSV_TYPE, value: csv },
  ];
}

interface Table {
  columns: readonly string[];
  data: readonly (readonly unknown[])[];
}

/** A column for each input, or for each element of the only one, which has no names for them. */
function tableOf({ inputs }: Row): Table | null {
  const rows = inputs[0]?.shape[0] ?? 0;
  const isColumn = ({ shape }: { shape: readonly number[] }): boolean =>
    shape[0] === rows && (shape.length === 1 || (shape.length === 2 && shape[1] === 1));
  const cells = (row: number): readonly unknown[] => inputs.map(({ data }) => data[row]);
  if (inputs.every(isColumn))
    return {
      columns: inputs.map(({ name }) => name),
      data: Array.from({ length: rows }, (_, row) => cells(row)),
    };
  const [only, ...others] = inputs;
  if (only === undefined || others.length > 0 || only.shape.length !== 2) return null;
  const width = only.shape[1]!;
  return {
    columns: Array.from({ length: width }, (_, index) => String(index)),
    data: Array.from({ length: rows }, (_, row) => only.data.slice(row * width, (row + 1) * width)),
  };
}

function csvCell(cell: unknown): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function invocationSchema({ inputs }: Signature): JsonSchema {
  const rows = { type: 'array', minItems: 1, items: rowSchema(inputs) };
  const records = { type: 'array', minItems: 1, items: { type: 'object' } };
  const names = { type: 'array', items: { type: ['string', 'integer'] } };
  const split = objectOf(
    { data: { type: 'array', minItems: 1, items: { type: 'array' } } },
    { columns: names },
  );
  const hasDimensions = ({ shape }: TensorSpec): boolean => shape.length > 0;
  return {
    oneOf: [
      objectOf({ dataframe_split: split }),
      objectOf({ dataframe_records: records }),
      ...(Object.values(inputs).every(hasDimensions) ? [objectOf({ instances: rows })] : []),
      objectOf({ inputs: anyOf([columnsSchema(inputs), rows]) }),
    ],
  };
}
