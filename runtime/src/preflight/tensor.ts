import { quoted, refused } from './refusal.ts';
import { type Field, type Wire, WireError } from './wire.ts';

const MOST_DIMENSIONS = 32;
const STRING = 8;
const EXTERNAL = 1;

/** Bits of one element by ONNX's number of its type, and where it stands when it is not raw. */
const ELEMENTS: ReadonlyMap<
  number,
  { bits: number; numbers: 'float' | 'int32' | 'int64' | 'double' | 'uint64' }
> = new Map([
  [1, { bits: 32, numbers: 'float' }],
  ...[2, 3, 9, 17, 18, 19, 20, 24].map(type => [type, { bits: 8, numbers: 'int32' }] as const),
  ...[4, 5, 10, 16].map(type => [type, { bits: 16, numbers: 'int32' }] as const),
  [6, { bits: 32, numbers: 'int32' }],
  [7, { bits: 64, numbers: 'int64' }],
  [11, { bits: 64, numbers: 'double' }],
  [12, { bits: 32, numbers: 'uint64' }],
  [13, { bits: 64, numbers: 'uint64' }],
  ...[21, 22, 23].map(type => [type, { bits: 4, numbers: 'int32' }] as const),
  ...[25, 26].map(type => [type, { bits: 2, numbers: 'int32' }] as const),
]);
/** Two numbers an element. */
const COMPLEX: ReadonlyMap<number, { bits: number; numbers: 'float' | 'double' }> = new Map([
  [14, { bits: 64, numbers: 'float' }],
  [15, { bits: 128, numbers: 'double' }],
]);

interface TensorFacts {
  name: string;
  sizeBytes: number;
}

interface Found {
  name: string;
  dims: number[];
  type: number;
  rawBytes: number | null;
  counts: Record<'float' | 'int32' | 'int64' | 'double' | 'uint64' | 'string', number>;
}

/**
 * Reads a TensorProto without its elements. Refuses weights in other files, and a shape that is not the shape of the
 * bytes: an engine that trusted it would read past their end.
 */
export function readTensor(wire: Wire, start: number, end: number, where: string): TensorFacts {
  const found: Found = {
    name: '',
    dims: [],
    type: 0,
    rawBytes: null,
    counts: { float: 0, int32: 0, int64: 0, double: 0, uint64: 0, string: 0 },
  };
  for (const field of wire.fields(start, end)) readField(wire, field, found, where);
  const tensor = `tensor ${quoted(found.name)} ${where}, at byte ${start},`;
  const elements = countElements(found.dims, tensor);
  refuseOtherSize(found, elements, tensor);
  return { name: found.name, sizeBytes: found.rawBytes ?? end - start };
}

function readField(wire: Wire, field: Field, found: Found, where: string): void {
  const { counts } = found;
  switch (field.number) {
    case 1:
      for (const dimension of wire.numbers(field)) found.dims.push(dimension);
      if (found.dims.length > MOST_DIMENSIONS)
        throw new WireError(`the tensor at byte ${field.at} has more than ${MOST_DIMENSIONS} dimensions`);
      return;
    case 2:
      found.type = wire.number(field);
      return;
    case 4:
      counts.float += wire.count(field, 4);
      return;
    case 5:
      counts.int32 += wire.count(field, null);
      return;
    case 6:
      wire.content(field);
      counts.string += 1;
      return;
    case 7:
      counts.int64 += wire.count(field, null);
      return;
    case 8:
      found.name = wire.text(field);
      return;
    case 9: {
      const [from, to] = wire.content(field);
      found.rawBytes = to - from;
      return;
    }
    case 10:
      counts.double += wire.count(field, 8);
      return;
    case 11:
      counts.uint64 += wire.count(field, null);
      return;
    case 13:
      throw external(found, where);
    case 14:
      if (wire.number(field) === EXTERNAL) throw external(found, where);
      return;
  }
}

function countElements(dims: readonly number[], tensor: string): number {
  let count = 1;
  for (const dimension of dims) {
    if (dimension < 0) throw refused(`${tensor} has the dimension ${dimension}`, 'Export the model again.');
    count *= dimension;
  }
  if (Number.isSafeInteger(count)) return count;
  throw refused(
    `${tensor} has the shape [${dims.join(', ')}], more elements than any file holds`,
    'Export the model again.',
  );
}

function refuseOtherSize(found: Found, elements: number, tensor: string): void {
  const { type, rawBytes, counts, dims } = found;
  const element = ELEMENTS.get(type) ?? COMPLEX.get(type);
  if (element === undefined && type !== STRING)
    throw refused(
      `${tensor} has the element type ${type}, which ONNX does not know`,
      'Export the model again.',
    );
  const shape = `[${dims.join(', ')}]`;
  if (element === undefined) {
    if (counts.string === elements) return;
    throw differs(tensor, shape, `${elements} strings`, `${counts.string}`);
  }
  if (rawBytes !== null) {
    const wantedBytes = Math.ceil((elements * element.bits) / 8);
    if (rawBytes === wantedBytes) return;
    throw differs(tensor, shape, `${wantedBytes} bytes`, `${rawBytes}`);
  }
  const wanted = COMPLEX.has(type) ? elements * 2 : elements;
  const got = counts[element.numbers];
  // Elements smaller than a byte stand one or several in a number, by whoever wrote them.
  const isPacked = element.bits < 8 && got === Math.ceil((elements * element.bits) / 8);
  if (got !== wanted && !isPacked) throw differs(tensor, shape, `${wanted} numbers`, `${got}`);
}

function differs(tensor: string, shape: string, wanted: string, got: string): Error {
  return refused(
    `${tensor} has the shape ${shape}, which is ${wanted}, and holds ${got}`,
    'Export the model again.',
  );
}

function external({ name }: Found, where: string): Error {
  const tensor = name === '' ? 'a tensor' : `tensor ${quoted(name)}`;
  return refused(
    `${tensor} ${where} keeps its weights in another file, and only model.onnx itself is served`,
    'Save the model as one file (onnx.save with save_as_external_data=False), which may have up to 2 GiB.',
  );
}
