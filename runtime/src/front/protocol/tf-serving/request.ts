import type { Backend, Signature } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../../error.ts';
import type { Answer, DecodedRequest, InferenceInput, Message, Reply } from '../../../inference/call.ts';
import { isBatchable } from '../../../loading/signature.ts';
import { UnscheduledRequest } from '../unscheduled.ts';
import { badBody, type JsonBody, parseJsonObject } from './body.ts';
import { readColumns, readRows } from './read.ts';
import { printColumns, printRows } from './response.ts';

/** Names of the only signature there is. */
const SIGNATURES: readonly unknown[] = [undefined, '', 'serving_default'];

/** Throws E_BODY for what is no request at all. */
export function decodePredict({ body }: Message): DecodedRequest {
  const parsed = parseJsonObject(body);
  const { signature_name: signatureName, instances, inputs } = parsed.json;
  if (!SIGNATURES.includes(signatureName))
    throw badBody('"signature_name" must be "serving_default", the only one there is, or be left out');
  if ((instances === undefined) === (inputs === undefined))
    throw badBody(
      'it must have either "instances", a list of rows, or "inputs", a tensor or several by name',
    );
  if (instances === undefined) return new ColumnsRequest(parsed);
  if (Array.isArray(instances) && instances.length > 0) return new RowsRequest(parsed);
  throw badBody('"instances" must be a list of at least one row');
}

/** The row format. */
class RowsRequest extends UnscheduledRequest {
  readonly #body: JsonBody;

  constructor(body: JsonBody) {
    super();
    this.#body = body;
  }

  read(backend: Backend): InferenceInput {
    refuseUncommonRows(backend.signature);
    return readRows(this.#body, 'instances', backend);
  }

  print({ outputs, nonFinite }: Answer): Reply {
    return printRows('predictions', outputs, nonFinite, isBytes);
  }
}

/** The columnar format. */
class ColumnsRequest extends UnscheduledRequest {
  readonly #body: JsonBody;

  constructor(body: JsonBody) {
    super();
    this.#body = body;
  }

  read(backend: Backend): InferenceInput {
    return readColumns(this.#body, 'inputs', backend);
  }

  print({ outputs, nonFinite }: Answer): Reply {
    return printColumns('outputs', outputs, nonFinite, isBytes);
  }
}

/** Several outputs are told row by row, so they need rows in common. */
function refuseUncommonRows(signature: Signature): void {
  const outputs = Object.values(signature.outputs);
  if (outputs.length === 1 || isBatchable(signature)) return;
  const rows = outputs[0]?.shape[0];
  if (rows !== undefined && rows !== -1 && outputs.every(({ shape }) => shape[0] === rows)) return;
  throw new SwitchbackError(
    'E_INPUT',
    'The outputs of this model have no rows in common to be answered by: send "inputs" instead of "instances".',
  );
}

/** How this protocol tells bytes from text in an answer: by the name. */
function isBytes(output: string): boolean {
  return output.endsWith('_bytes');
}
