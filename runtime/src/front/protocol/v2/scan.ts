import type { GivenTensor } from '../tensors/given.ts';
import { CLOSE_LIST, COMMA, type JsonScanner, OPEN_LIST } from '../tensors/json/scanner.ts';
import { BodyScanner } from './body-scanner.ts';
import { timeoutMsOf } from './parameters.ts';
import { type AskedHttpOutput, MOST_ID_CHARS, type Said } from './said.ts';
import { scanInput } from './scan-input.ts';
import { scanFlag, scanObject, scanWhole, words } from './scan-value.ts';
import { V2Request } from './v2-request.ts';

const REQUEST_KEYS = words('inputs', 'outputs', 'id', 'parameters');
const REQUEST_PARAMETERS = words('binary_data_output', 'timeout', 'priority');
const OUTPUT_KEYS = words('name', 'parameters');
const OUTPUT_PARAMETERS = words('binary_data');
const MOST_INPUTS = 64;
const MOST_OUTPUTS = 16;

const NOTHING: Said = {
  id: undefined,
  timeoutMs: null,
  priority: 0,
  inputs: [],
  outputs: null,
  isBinary: false,
};

/**
 * Reads a request of the usual kind straight from its bytes, its numbers into the arrays that the engine takes; null:
 * there is something unusual about it, or wrong, for which see `parseRequest`. What it reads it reads as that would.
 * The JSON ends at `headEnd`.
 */
export function scanRequest(body: Buffer, headEnd: number): V2Request | null {
  const json = new BodyScanner(body, headEnd);
  const request = new V2Request(NOTHING);
  const isUsual = scanObject(json, REQUEST_KEYS, scanMember, request) && json.peek() === -1;
  return isUsual && request.inputs.length > 0 && json.tail === body.length ? request : null;
}

function scanMember(json: BodyScanner, key: number, request: V2Request): boolean {
  if (key === 0) return scanInputs(json, request);
  if (key === 1) return scanOutputs(json, request);
  if (key === 2) return scanId(json, request);
  return scanObject(json, REQUEST_PARAMETERS, scanParameter, request);
}

function scanInputs(json: BodyScanner, request: V2Request): boolean {
  if (!json.take(OPEN_LIST)) return false;
  const inputs: GivenTensor[] = [];
  do {
    const given = inputs.length < MOST_INPUTS ? scanInput(json) : null;
    if (given === null) return false;
    inputs.push(given);
  } while (json.take(COMMA));
  request.inputs = inputs;
  return json.take(CLOSE_LIST);
}

function scanOutputs(json: JsonScanner, request: V2Request): boolean {
  if (!json.take(OPEN_LIST)) return false;
  const outputs: AskedHttpOutput[] = [];
  do {
    const output = outputs.length < MOST_OUTPUTS ? scanOutput(json) : null;
    if (output === null || outputs.some(({ name }) => name === output.name)) return false;
    outputs.push(output);
  } while (json.take(COMMA));
  request.outputs = outputs;
  return json.take(CLOSE_LIST);
}

function scanOutput(json: JsonScanner): AskedHttpOutput | null {
  const output = { name: UNNAMED, classes: 0, isBinary: undefined };
  return scanObject(json, OUTPUT_KEYS, scanOutputMember, output) && output.name !== UNNAMED ? output : null;
}

/** No string that the scanner reads: it is no printable character. */
const UNNAMED = '\0';

function scanOutputMember(json: JsonScanner, key: number, output: AskedHttpOutput): boolean {
  if (key === 1) return scanObject(json, OUTPUT_PARAMETERS, scanOutputParameter, output);
  const name = json.name();
  if (name === null) return false;
  output.name = name;
  return true;
}

function scanOutputParameter(json: JsonScanner, _: number, output: AskedHttpOutput): boolean {
  const isBinary = scanFlag(json);
  if (isBinary === null) return false;
  output.isBinary = isBinary;
  return true;
}

function scanId(json: JsonScanner, request: V2Request): boolean {
  const id = json.string();
  if (id === null || id.length > MOST_ID_CHARS) return false;
  request.id = id;
  return true;
}

function scanParameter(json: JsonScanner, key: number, request: V2Request): boolean {
  if (key === 0) {
    const isBinary = scanFlag(json);
    request.isBinary = isBinary === true;
    return isBinary !== null;
  }
  const value = scanWhole(json);
  if (value === null) return false;
  if (key === 1) request.timeoutMs = timeoutMsOf(value);
  else request.priority = value;
  return true;
}
