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

/** One input of a request, read as it is met. */
export class InputScan {
  readonly #json: JsonScanner;
  readonly #body: Buffer;
  /** Where the next binary tensor begins. */
  #tail: number;
  #name = '';
  #shape: number[] | null = null;
  #datatype: Datatype | null = null;
  #data: GivenData | null = null;
  /** Where its data stands, if that came before what says how to read it. */
  #dataAt = NOWHERE;
  readonly #onMember = (key: number): boolean => this.#member(key);
  readonly #onParameter = (): boolean => this.#binary();

  constructor(json: JsonScanner, body: Buffer) {
    this.#json = json;
    this.#body = body;
    this.#tail = json.end;
  }

  /** Where the bytes of all that was read so far end. */
  get tail(): number {
    return this.#tail;
  }

  /** The next one; null: it is unusual. */
  read(): GivenTensor | null {
    this.#name = '';
    this.#shape = null;
    this.#datatype = null;
    this.#data = null;
    this.#dataAt = NOWHERE;
    if (!scanObject(this.#json, KEYS, this.#onMember)) return null;
    if (this.#name === '' || this.#shape === null || this.#datatype === null) return null;
    if (this.#dataAt !== NOWHERE && !this.#earlierData(this.#datatype, this.#shape)) return null;
    if (this.#data === null) return null;
    return { name: this.#name, datatype: this.#datatype, shape: this.#shape, data: this.#data };
  }

  #member(key: number): boolean {
    const json = this.#json;
    switch (key) {
      case 0:
        this.#name = json.string() ?? '';
        return this.#name !== '';
      case 1:
        this.#shape = scanShape(json);
        return this.#shape !== null;
      case 2:
        this.#datatype = DATATYPES[json.word(DATATYPE_WORDS)] ?? null;
        return this.#datatype !== null;
      case 3:
        return this.#takeData();
      default:
        return scanObject(json, PARAMETERS, this.#onParameter);
    }
  }

  #takeData(): boolean {
    const json = this.#json;
    if (this.#data !== null) return false;
    if (this.#shape === null || this.#datatype === null) {
      this.#dataAt = json.at;
      return skipNumbers(json);
    }
    const data = scanData(json, this.#datatype, this.#shape);
    if (data !== null) this.#data = { kind: 'ready', data };
    return data !== null;
  }

  #earlierData(datatype: Datatype, shape: readonly number[]): boolean {
    const json = this.#json;
    const { at } = json;
    json.at = this.#dataAt;
    const data = this.#data === null ? scanData(json, datatype, shape) : null;
    json.at = at;
    if (data !== null) this.#data = { kind: 'ready', data };
    return data !== null;
  }

  /** How many bytes of it come behind the JSON. */
  #binary(): boolean {
    const size = scanWhole(this.#json);
    const end = this.#tail + (size ?? 0);
    if (size === null || size === 0 || end > this.#body.length || this.#data !== null) return false;
    this.#data = { kind: 'bytes', bytes: this.#body.subarray(this.#tail, end) };
    this.#tail = end;
    return true;
  }
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
