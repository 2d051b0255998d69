import type { GivenTensor } from '../tensors/given.ts';
import { CLOSE_LIST, COMMA, JsonScanner, OPEN_LIST } from '../tensors/json/scanner.ts';
import { timeoutMsOf } from './parameters.ts';
import { type AskedOutput, MOST_ID_CHARS, type Said } from './said.ts';
import { InputScan } from './scan-input.ts';
import { scanFlag, scanObject, scanWhole, words } from './scan-value.ts';

const REQUEST_KEYS = words('inputs', 'outputs', 'id', 'parameters');
const REQUEST_PARAMETERS = words('binary_data_output', 'timeout', 'priority');
const OUTPUT_KEYS = words('name', 'parameters');
const OUTPUT_PARAMETERS = words('binary_data');
const MOST_INPUTS = 64;
const MOST_OUTPUTS = 16;

/**
 * Reads a request of the usual kind straight from its bytes, its numbers into the arrays that the engine takes; null:
 * there is something unusual about it, or wrong, for which see `parseRequest`. What it reads it reads as that would.
 * The JSON ends at `headEnd`.
 */
export function scanRequest(body: Buffer, headEnd: number): Said | null {
  const json = new JsonScanner(body, 0, headEnd);
  const said = new ScannedRequest();
  const input = new InputScan(json, body);
  const isUsual =
    scanObject(json, REQUEST_KEYS, key => {
      if (key === 0) return scanInputs(json, input, said.inputs);
      if (key === 1) return scanOutputs(json, said);
      return key === 2 ? scanId(json, said) : scanParameters(json, said);
    }) && json.peek() === -1;
  return isUsual && said.inputs.length > 0 && input.tail === body.length ? said : null;
}

class ScannedRequest implements Said {
  id: string | undefined = undefined;
  timeoutMs: number | null = null;
  priority = 0;
  inputs: GivenTensor[] = [];
  outputs: AskedOutput[] | null = null;
  isBinary = false;
}

function scanId(json: JsonScanner, said: ScannedRequest): boolean {
  const id = json.string();
  if (id === null || id.length > MOST_ID_CHARS) return false;
  said.id = id;
  return true;
}

function scanParameters(json: JsonScanner, said: ScannedRequest): boolean {
  return scanObject(json, REQUEST_PARAMETERS, key => {
    if (key === 0) {
      const isBinary = scanFlag(json);
      said.isBinary = isBinary === true;
      return isBinary !== null;
    }
    const value = scanWhole(json);
    if (value === null) return false;
    if (key === 1) said.timeoutMs = timeoutMsOf(value);
    else said.priority = value;
    return true;
  });
}

function scanInputs(json: JsonScanner, input: InputScan, inputs: GivenTensor[]): boolean {
  if (!json.take(OPEN_LIST)) return false;
  do {
    const given = inputs.length < MOST_INPUTS ? input.read() : null;
    if (given === null) return false;
    inputs.push(given);
  } while (json.take(COMMA));
  return json.take(CLOSE_LIST);
}

function scanOutputs(json: JsonScanner, said: ScannedRequest): boolean {
  if (!json.take(OPEN_LIST)) return false;
  const outputs: AskedOutput[] = [];
  do {
    const output = outputs.length < MOST_OUTPUTS ? scanOutput(json) : null;
    if (output === null || outputs.some(({ name }) => name === output.name)) return false;
    outputs.push(output);
  } while (json.take(COMMA));
  said.outputs = outputs;
  return json.take(CLOSE_LIST);
}

function scanOutput(json: JsonScanner): AskedOutput | null {
  let name: string | null = null;
  let isBinary: boolean | null = null;
  const isUsual = scanObject(json, OUTPUT_KEYS, key => {
    if (key === 0) {
      name = json.string();
      return name !== null;
    }
    return scanObject(json, OUTPUT_PARAMETERS, () => {
      isBinary = scanFlag(json);
      return isBinary !== null;
    });
  });
  return isUsual && name !== null ? { name, isBinary: isBinary ?? undefined, classes: 0 } : null;
}
