import type { Datatype } from '@switchback-ml/schemas';
import type { GivenData, GivenTensor } from '../tensors/given.ts';
import { scanData } from '../tensors/json/scan-data.ts';
import {
  CLOSE_LIST,
  COMMA,
  type JsonScanner,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
} from '../tensors/json/scanner.ts';
import type { BodyScanner } from './body-scanner.ts';
import { scanObject, scanWhole, words } from './scan-value.ts';

const KEYS = words('name', 'shape', 'datatype', 'data', 'parameters');
const PARAMETERS = words('binary_data_size');
/** The usual ones first. */
const DATATYPES: readonly Datatype[] = [
  'FP32',
  'FP64',
  'INT64',
  'INT32',
  'BYTES',
  'BOOL',
  'UINT8',
  'INT8',
  'INT16',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP16',
];
const DATATYPE_WORDS = words(...DATATYPES);
const MOST_DIMENSIONS = 8;
const NOWHERE = -1;

/** As far as it was read. */
class ScannedInput {
  name = '';
  shape: number[] | null = null;
  datatype: Datatype | null = null;
  data: GivenData | null = null;
  /** Where its data stands, if that came before what says how to read it. */
  dataAt = NOWHERE;
}

/** The next input of a request; null: it is unusual. */
export function scanInput(json: BodyScanner): GivenTensor | null {
  const input = new ScannedInput();
  if (!scanObject(json, KEYS, scanMember, input)) return null;
  const { name, shape, datatype } = input;
  if (name === '' || shape === null || datatype === null) return null;
  if (input.dataAt !== NOWHERE && !scanEarlierData(json, input, datatype, shape)) return null;
  return input.data === null ? null : { name, datatype, shape, data: input.data };
}

function scanMember(json: BodyScanner, key: number, input: ScannedInput): boolean {
  switch (key) {
    case 0:
      input.name = json.name() ?? '';
      return input.name !== '';
    case 1:
      input.shape = scanShape(json);
      return input.shape !== null;
    case 2:
      input.datatype = DATATYPES[json.word(DATATYPE_WORDS)] ?? null;
      return input.datatype !== null;
    case 3:
      return scanOrSkipData(json, input);
    default:
      return scanObject(json, PARAMETERS, scanBinarySize, input);
  }
}

function scanOrSkipData(json: JsonScanner, input: ScannedInput): boolean {
  if (input.data !== null) return false;
  const { datatype, shape } = input;
  if (shape !== null && datatype !== null) return scanReadyData(json, input, datatype, shape);
  input.dataAt = json.at;
  return skipNumbers(json);
}

function scanEarlierData(
  json: JsonScanner,
  input: ScannedInput,
  datatype: Datatype,
  shape: readonly number[],
): boolean {
  if (input.data !== null) return false;
  const { at } = json;
  json.at = input.dataAt;
  const isRead = scanReadyData(json, input, datatype, shape);
  json.at = at;
  return isRead;
}

function scanReadyData(
  json: JsonScanner,
  input: ScannedInput,
  datatype: Datatype,
  shape: readonly number[],
): boolean {
  const data = scanData(json, datatype, shape);
  if (data === null) return false;
  input.data = { kind: 'ready', data };
  return true;
}

/** How many bytes of it come behind the JSON. */
function scanBinarySize(json: BodyScanner, _: number, input: ScannedInput): boolean {
  const size = scanWhole(json);
  const { bytes, tail } = json;
  if (size === null || size === 0 || tail + size > bytes.length || input.data !== null) return false;
  json.tail = tail + size;
  input.data = { kind: 'bytes', bytes: bytes.subarray(tail, json.tail) };
  return true;
}

function scanShape(json: JsonScanner): number[] | null {
  if (!json.take(OPEN_LIST)) return null;
  const shape: number[] = [];
  do {
    const size = scanWhole(json);
    if (size === null || shape.length === MOST_DIMENSIONS) return null;
    shape.push(size);
  } while (json.take(COMMA));
  return json.take(CLOSE_LIST) ? shape : null;
}

/** Over lists of what is no text and no object, whatever it is. */
function skipNumbers(json: JsonScanner): boolean {
  if (json.peek() !== OPEN_LIST) return false;
  let depth = 0;
  for (let { at } = json; at < json.end; at++) {
    const byte = json.bytes[at]!;
    if (byte === OPEN_LIST) depth++;
    else if (byte === CLOSE_LIST && --depth === 0) {
      json.at = at + 1;
      return true;
    } else if (byte === QUOTE || byte === OPEN_OBJECT) return false;
  }
  return false;
}
