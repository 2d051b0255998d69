import { isUtf8 } from 'node:buffer';
import type { Backend } from '@switchback-ml/schemas';
import type { Answer, DecodedRequest, InferenceInput, Message, Reply } from '../../../inference/call.ts';
import { badBody, isObject, type JsonBody, parseJsonObject } from '../tf-serving/body.ts';
import { readColumns, readRows } from '../tf-serving/read.ts';
import { printColumns } from '../tf-serving/response.ts';
import { isNamed } from '../tf-serving/tensors.ts';
import { UnscheduledRequest } from '../unscheduled.ts';
import { requireContentKind } from './content-type.ts';
import { tableOfCsv } from './csv.ts';
import { tableOfRecords, tableOfSplit } from './frame.ts';
import { readTable, type Table } from './table.ts';

type Read = DecodedRequest['read'];

/** Throws E_MEDIA_TYPE and E_BODY for what is no request at all. */
export function decodeInvocation(message: Message): DecodedRequest {
  const { body } = message;
  const kind = requireContentKind(message.header('content-type'));
  return new Invocation(kind === 'json' ? readerOfJson(parseJsonObject(body)) : readerOfCsv(body));
}

const FORMS: Readonly<Record<string, (body: JsonBody) => Read>> = {
  dataframe_split: body => readerOfFrame(body, json => tableOfSplit(json['dataframe_split'])),
  dataframe_records: body => readerOfFrame(body, json => tableOfRecords(json['dataframe_records'])),
  instances: body => readerOfRows(body, 'instances'),
  inputs: readerOfInputs,
};

function readerOfJson(body: JsonBody): Read {
  const forms = Object.keys(FORMS).filter(form => Object.hasOwn(body.json, form));
  const [form] = forms;
  if (form === undefined || forms.length > 1)
    throw badBody(
      `it must have exactly one of ${Object.keys(FORMS).join(', ')}; it has ${forms.join(', ') || 'none'}`,
    );
  refuseParams(body.json['params']);
  return FORMS[form]!(body);
}

function readerOfCsv(body: Buffer): Read {
  if (!isUtf8(body)) throw badBody('it is not UTF-8');
  const table = tableOfCsv(body.toString('utf8'));
  return backend => readTable(table, () => table, backend);
}

function readerOfFrame({ json, exactly }: JsonBody, tableOf: (json: JsonBody['json']) => Table): Read {
  const table = tableOf(json);
  return backend => readTable(table, () => tableOf(exactly()), backend);
}

function readerOfRows(body: JsonBody, key: string): Read {
  const rows = body.json[key];
  if (!Array.isArray(rows) || rows.length === 0) throw badBody(`"${key}" must be a list of at least one row`);
  return backend => readRows(body, key, backend);
}

/** Tensors as in the columnar form, or a list of rows by name. */
function readerOfInputs(body: JsonBody): Read {
  const { inputs } = body.json;
  if (Array.isArray(inputs) && isNamed(inputs[0])) return readerOfRows(body, 'inputs');
  return backend => readColumns(body, 'inputs', backend);
}

function refuseParams(params: unknown): void {
  if (params === undefined || params === null) return;
  if (!isObject(params)) throw badBody('"params" must be an object');
  const names = Object.keys(params);
  if (names.length > 0)
    throw badBody(`the model takes no "params", and got ${names.slice(0, 5).join(', ').slice(0, 100)}`);
}

class Invocation extends UnscheduledRequest {
  readonly #read: Read;

  constructor(read: Read) {
    super();
    this.#read = read;
  }

  read(backend: Backend): InferenceInput {
    return this.#read(backend);
  }

  print({ outputs, nonFinite }: Answer): Reply {
    return printColumns('predictions', outputs, nonFinite, () => false);
  }
}
