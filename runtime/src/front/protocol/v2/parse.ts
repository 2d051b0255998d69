import type { GivenTensor } from '../tensors/given.ts';
import { jsonText, NoJson, parseExactly, parseJson } from '../tensors/json/parse.ts';
import { badInput } from '../tensors/refusal.ts';
import { badBody } from './bad-body.ts';
import { HEAD_LENGTH } from './head-length.ts';
import { flag, readParameters, timeoutMsOf, whole } from './parameters.ts';
import { type AskedHttpOutput, MOST_ID_CHARS, type Said } from './said.ts';
import { Tail } from './tail.ts';

const MOST_TENSORS = 1000;

/**
 * Reads whatever a request may be, and tells what is wrong with one that is none: the reference for `scanRequest`.
 * `headLength` bytes of it are JSON; null: all. Throws E_BODY, or E_INPUT where it is one input's fault.
 */
export function parseRequest(body: Buffer, headLength: number | null): Said {
  const text = jsonText(headLength === null ? body : body.subarray(0, headLength));
  const json = text instanceof NoJson ? text : parseJson(text);
  if (json instanceof NoJson) throw badBody(json.why);
  if (!isObject(json)) throw badBody('it must be a JSON object');
  const { id, inputs, outputs } = json;
  if (id !== undefined && (typeof id !== 'string' || id.length > MOST_ID_CHARS))
    throw badBody(`"id" must be a string of at most ${MOST_ID_CHARS} characters`);
  const parameters = readParameters(json['parameters'], '"parameters"');
  const tail = headLength === null ? null : new Tail(body, headLength);
  const said = {
    id,
    timeoutMs: timeoutMsOf(whole(parameters, 'timeout', 0, '"parameters"')),
    priority: whole(parameters, 'priority', 0, '"parameters"') ?? 0,
    inputs: parseInputs(inputs, text as string, tail),
    outputs: parseOutputs(outputs),
    isBinary: flag(parameters, 'binary_data_output', '"parameters"') ?? false,
  };
  tail?.finish();
  return said;
}

function parseInputs(inputs: unknown, text: string, tail: Tail | null): GivenTensor[] {
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MOST_TENSORS)
    throw badBody(`"inputs" must be a list of 1 to ${MOST_TENSORS} tensors`);
  const exact = inputs.some(isRounded) ? (parseExactly(text) as { inputs: unknown[] }).inputs : inputs;
  return inputs.map((input, index) => {
    const given = parseInput(input, index, tail);
    const { datatype, data } = given;
    const isLong = data.kind === 'json' && (datatype === 'INT64' || datatype === 'UINT64');
    return isLong && exact !== inputs ? parseInput(exact[index], index, null) : given;
  });
}

function parseInput(json: unknown, index: number, tail: Tail | null): GivenTensor {
  const at = `inputs[${index}]`;
  if (!isObject(json)) throw badBody(`${at} must be an object`);
  const { name, datatype, shape, data } = json;
  if (typeof name !== 'string') throw badBody(`${at}: "name" must be a string`);
  if (typeof datatype !== 'string') throw badBody(`${at}: "datatype" must be a string`);
  if (!isNumbers(shape)) throw badBody(`${at}: "shape" must be a list of numbers`);
  const parameters = readParameters(json['parameters'], `${at}: "parameters"`);
  const size = whole(parameters, 'binary_data_size', 0, `${at}: "parameters"`);
  if (size === undefined) {
    if (!Array.isArray(data)) throw badInput(name, 'needs "data", a list of its elements', typeof data);
    return { name, datatype, shape, data: { kind: 'json', values: data } };
  }
  if (data !== undefined) throw badInput(name, 'must have "data" or "binary_data_size"', 'both');
  if (tail === null)
    throw badInput(
      name,
      `is binary, for which the header "${HEAD_LENGTH}" must say where the JSON ends`,
      'none',
    );
  return { name, datatype, shape, data: { kind: 'bytes', bytes: tail.take(name, size) } };
}

/** Whether it declares 64-bit integers and has numbers that may have been rounded. */
function isRounded(input: unknown): boolean {
  if (!isObject(input)) return false;
  const { datatype, data } = input;
  return (datatype === 'INT64' || datatype === 'UINT64') && hasUnsafe(data);
}

function hasUnsafe(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnsafe);
  return typeof value === 'number' && !Number.isSafeInteger(value);
}

function parseOutputs(json: unknown): AskedHttpOutput[] | null {
  if (json === undefined) return null;
  // As over gRPC, which can not tell an empty list from none: all of them.
  if (Array.isArray(json) && json.length === 0) return null;
  if (!Array.isArray(json) || json.length > MOST_TENSORS)
    throw badBody(`"outputs" must be a list of at most ${MOST_TENSORS} names`);
  const outputs = json.map(parseOutput);
  const names = new Set(outputs.map(({ name }) => name));
  if (names.size < outputs.length) throw badBody('"outputs" names one output twice');
  return outputs;
}

function parseOutput(json: unknown, index: number): AskedHttpOutput {
  const at = `outputs[${index}]`;
  if (!isObject(json) || typeof json['name'] !== 'string') throw badBody(`${at}: "name" must be a string`);
  const parameters = readParameters(json['parameters'], `${at}: "parameters"`);
  return {
    name: json['name'],
    isBinary: flag(parameters, 'binary_data', `${at}: "parameters"`),
    classes: whole(parameters, 'classification', 0, `${at}: "parameters"`) ?? 0,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(one => typeof one === 'number');
}
