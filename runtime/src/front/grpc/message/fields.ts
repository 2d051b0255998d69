import { isUtf8 } from 'node:buffer';
import { type AskedOutput, MOST_ID_CHARS } from '../../protocol/v2/said.ts';
import { type Parameter, readParameter, wholeNumber } from './parameter.ts';
import { DELIMITED, malformed, VARINT, WireReader } from './wire-reader.ts';

const MOST_TENSORS = 1000;
const MOST_PARAMETERS = 1000;
const MOST_DIMENSIONS = 100;
/** No graph has longer names, nor is there a longer datatype: what is cut is as unknown as whole. */
const MOST_NAME_BYTES = 2000;
const MOST_DATATYPE_BYTES = 20;

/** What a ModelInferRequest holds besides its address, in whatever order it came. */
export interface Fields {
  /** Empty: none. */
  id: string;
  inputs: GivenInput[];
  /** None: all of the model. */
  outputs: AskedOutput[];
  /** One for each input, or none. */
  raw: Buffer[];
  priority: number;
  /** In µs; 0: none. */
  timeout: number;
  /** How many there were, on whatever. */
  parameters: number;
}

export interface GivenInput {
  name: string;
  datatype: string;
  shape: number[];
  /** An InferTensorContents; null: absent or empty. */
  contents: Buffer | null;
}

/** Throws E_BODY for what is no ModelInferRequest. */
export function readFields(body: Buffer): Fields {
  const fields: Fields = {
    id: '',
    inputs: [],
    outputs: [],
    raw: [],
    priority: 0,
    timeout: 0,
    parameters: 0,
  };
  const reader = new WireReader(body);
  while (reader.next()) readField(fields, reader);
  if (fields.inputs.length === 0) throw malformed('it has no inputs');
  if (fields.outputs.length > 1) refuseTwice(fields.outputs);
  return fields;
}

function refuseTwice(outputs: readonly AskedOutput[]): void {
  if (new Set(outputs.map(({ name }) => name)).size < outputs.length)
    throw malformed('it asks for an output twice');
}

function readField(fields: Fields, reader: WireReader): void {
  if (reader.number === 3) fields.id = readId(reader.content());
  else if (reader.number === 4) takeParameter(fields, nextParameter(fields, reader));
  else if (reader.number === 5) add(fields.inputs, readInput(fields, reader.inner()));
  else if (reader.number === 6) add(fields.outputs, readOutput(fields, reader.inner()));
  else if (reader.number === 7) add(fields.raw, reader.content());
}

function add<Part>(parts: Part[], part: Part): void {
  if (parts.length === MOST_TENSORS) throw malformed(`it has more than ${MOST_TENSORS} tensors`);
  parts.push(part);
}

function readId(bytes: Buffer): string {
  const id = bytes.length <= 4 * MOST_ID_CHARS && isUtf8(bytes) ? bytes.toString('utf8') : null;
  if (id !== null && id.length <= MOST_ID_CHARS) return id;
  throw malformed(`its id must be text of at most ${MOST_ID_CHARS} characters`);
}

function nextParameter(fields: Fields, reader: WireReader): Parameter {
  if (++fields.parameters > MOST_PARAMETERS)
    throw malformed(`it has more than ${MOST_PARAMETERS} parameters`);
  const parameter = readParameter(reader.inner());
  const { name } = parameter;
  if (name.startsWith('triton_')) throw malformed('parameters named triton_… are reserved');
  if (name.startsWith('shared_memory_')) throw malformed('shared memory is not supported');
  if (name.startsWith('sequence_'))
    throw malformed('sequences are not supported, every request is by itself');
  return parameter;
}

function takeParameter(fields: Fields, parameter: Parameter): void {
  if (parameter.name === 'priority') fields.priority = wholeNumber(parameter, 0);
  else if (parameter.name === 'timeout') fields.timeout = wholeNumber(parameter, 0);
}

function readInput(fields: Fields, reader: WireReader): GivenInput {
  const input: GivenInput = { name: '', datatype: '', shape: [], contents: null };
  while (reader.next()) {
    if (reader.number === 1) input.name = reader.text(MOST_NAME_BYTES);
    else if (reader.number === 2) input.datatype = reader.text(MOST_DATATYPE_BYTES);
    else if (reader.number === 3) readShape(input.shape, reader);
    else if (reader.number === 4) nextParameter(fields, reader);
    else if (reader.number === 5) input.contents = onlyContents(input.contents, reader.content());
  }
  return input;
}

function readShape(shape: number[], reader: WireReader): void {
  if (reader.type === DELIMITED) {
    const sizes = new WireReader(reader.content());
    while (!sizes.isAtEnd) {
      sizes.varint();
      addSize(shape, sizes);
    }
  } else {
    reader.expect(VARINT);
    addSize(shape, reader);
  }
}

function addSize(shape: number[], { signed: size }: WireReader): void {
  if (size < 0) throw malformed('a shape of it has a negative size');
  if (shape.length === MOST_DIMENSIONS)
    throw malformed(`a shape of it has more than ${MOST_DIMENSIONS} dimensions`);
  shape.push(size);
}

/** Nobody writes them in parts, which the format would allow. */
function onlyContents(before: Buffer | null, content: Buffer): Buffer | null {
  if (before !== null) throw malformed('an input of it has contents twice');
  return content.length === 0 ? null : content;
}

function readOutput(fields: Fields, reader: WireReader): AskedOutput {
  const output: AskedOutput = { name: '', classes: 0 };
  while (reader.next()) {
    if (reader.number === 1) output.name = reader.text(MOST_NAME_BYTES);
    else if (reader.number === 2) {
      const parameter = nextParameter(fields, reader);
      if (parameter.name === 'classification') output.classes = wholeNumber(parameter, 1);
    }
  }
  return output;
}
