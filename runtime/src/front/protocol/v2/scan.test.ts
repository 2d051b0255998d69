import type { Datatype, TensorSpec } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementCount } from '../../../engine/tensor.ts';
import { parseRequest } from './parse.ts';
import { scanRequest } from './scan.ts';
import { takes } from './v2.fixture.ts';
import { V2Request } from './v2-request.ts';

const DATATYPES: Datatype[] = [
  'FP16',
  'FP32',
  'FP64',
  'INT8',
  'UINT8',
  'INT16',
  'INT32',
  'UINT32',
  'INT64',
  'UINT64',
  'BOOL',
  'BYTES',
];
const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ');
const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc
    .tuple(fc.nat(), fc.integer({ min: 0, max: 25 }), fc.integer({ min: -50, max: 50 }))
    .map(([digits, places, power]) => `${digits}.${String(digits).padStart(places + 1, '0')}e${power}`),
  fc.constantFrom(
    '0',
    '-0',
    '1',
    '1.0',
    '1e2',
    '1E+2',
    '3.5e38',
    '9'.repeat(30),
    '0.1',
    '255',
    '256',
    '65504',
    '65519.9',
    '65520',
  ),
);
const element = (datatype: Datatype): fc.Arbitrary<string> => {
  if (datatype === 'BOOL') return fc.constantFrom('true', 'false', '0', '1');
  if (datatype === 'BYTES') return fc.string().map(text => JSON.stringify(text));
  return datatype.startsWith('FP')
    ? number
    : fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 127 }).map(String) }, { weight: 1, arbitrary: number });
};

/** A request as text, most often a good one, with its members in any order and any white space between. */
const request = fc
  .record({
    datatype: fc.constantFrom(...DATATYPES),
    shape: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 3, 3), { minLength: 1, maxLength: 3 }),
    isNested: fc.boolean(),
    space,
    order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    outer: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 3 }),
    isBinary: fc.boolean(),
  })
  .chain(how => {
    const count = elementCount(how.shape);
    return fc.array(element(how.datatype), { minLength: count, maxLength: count }).map(data => ({
      text: printRequest(how, data),
      spec: { datatype: how.datatype, shape: [-1, ...how.shape.slice(1)] },
    }));
  });

function printRequest(
  how: {
    datatype: Datatype;
    shape: number[];
    isNested: boolean;
    space: string;
    order: number[];
    outer: number[];
    isBinary: boolean;
  },
  data: string[],
): string {
  const gap = how.space;
  const list = (items: readonly string[]): string => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`;
  const nest = (items: readonly string[], [size = 0, ...rest]: number[]): string => {
    if (rest.length === 0) return list(items);
    const width = size === 0 ? 0 : items.length / size;
    return list(Array.from({ length: size }, (_, i) => nest(items.slice(i * width, (i + 1) * width), rest)));
  };
  const object = (members: string[]): string => `{${gap}${members.join(`${gap},${gap}`)}${gap}}`;
  const member = (key: string, value: string): string => `"${key}"${gap}:${gap}${value}`;
  const input = [
    member('name', '"x"'),
    member('shape', JSON.stringify(how.shape)),
    member('datatype', `"${how.datatype}"`),
    member('data', how.isNested ? nest(data, how.shape) : list(data)),
  ];
  const members = [
    member('inputs', list([object(how.order.map(index => input[index]!))])),
    member('id', '"7"'),
    member('outputs', list([object([member('name', '"y"'), member('parameters', '{"binary_data":true}')])])),
    member(
      'parameters',
      object([member('timeout', '1500'), member('binary_data_output', String(how.isBinary))]),
    ),
  ];
  return gap + object(how.outer.map(index => members[index]!)) + gap;
}

const ROWS: TensorSpec = { datatype: 'FP32', shape: [-1, 3] };

/** What a way to read a body makes of it for a model, errors included. */
function outcome(read: () => V2Request | null, spec: TensorSpec): unknown {
  const backend = takes({ x: spec }, undefined, 100);
  try {
    const request = read();
    if (request === null) return null;
    const { timeoutMs, priority } = request;
    try {
      return { timeoutMs, priority, ...request.read(backend), printed: printed(request, backend) };
    } catch (error) {
      return { ...(error as object), message: (error as Error).message };
    }
  } catch (error) {
    return { ...(error as object), message: (error as Error).message };
  }
}

function printed(request: V2Request, backend: ReturnType<typeof takes>): unknown {
  const y = { datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(0.5) };
  return request.print({ model: 'm', backend, outputs: new Map([['y', y]]), nonFinite: [] });
}

function compare(body: Buffer, length: number | null, spec: TensorSpec = ROWS): boolean {
  const scanned = outcome(() => scanRequest(body, length ?? body.length), spec);
  if (scanned === null) return false;
  expect(scanned).toEqual(outcome(() => new V2Request(parseRequest(body, length)), spec));
  return true;
}

test('what the scanner reads of a request is what the parser reads, for every datatype', () => {
  let scans = 0;

  fc.assert(
    fc.property(request, ({ text, spec }) => {
      if (compare(Buffer.from(text), null, spec)) scans++;
    }),
    { numRuns: 2000 },
  );

  expect(scans).toBeGreaterThan(500);
});

test('so it is after a few bytes were changed, inserted or cut', () => {
  const change = fc.record({
    at: fc.nat({ max: 400 }),
    cut: fc.integer({ min: 0, max: 3 }),
    put: fc.constantFrom(
      '',
      ',',
      '[',
      ']',
      '{',
      '}',
      '"',
      '-',
      '.',
      'e',
      '0',
      '1',
      ' ',
      '\\',
      'null',
      '1e400',
      '\u00fc',
    ),
  });

  fc.assert(
    fc.property(request, fc.array(change, { minLength: 1, maxLength: 3 }), ({ text, spec }, changes) => {
      let body = Buffer.from(text);
      for (const { at, cut, put } of changes) {
        const place = at % (body.length + 1);
        body = Buffer.concat([body.subarray(0, place), Buffer.from(put), body.subarray(place + cut)]);
      }
      compare(body, null, spec);
    }),
    { numRuns: 3000 },
  );
});

test('so it is where tensors come behind the JSON, whatever their sizes and wherever it is said to end', () => {
  const tensor = fc.record({ said: fc.nat({ max: 20 }), rows: fc.nat({ max: 2 }) });
  let scans = 0;

  fc.assert(
    fc.property(
      fc.array(tensor, { minLength: 1, maxLength: 3 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: -2, max: 2 }),
      (tensors, bytes, off) => {
        const inputs = tensors.map(({ said, rows }, index) => ({
          name: index === 0 ? 'x' : `x${index}`,
          shape: [rows, 3],
          datatype: 'FP32',
          parameters: { binary_data_size: said },
        }));
        const head = Buffer.from(JSON.stringify({ inputs }));
        const body = Buffer.concat([head, bytes]);
        const length = Math.min(body.length, Math.max(1, head.length + (Math.abs(off) === 2 ? off : 0)));
        if (compare(body, length)) scans++;
      },
    ),
    { numRuns: 2000 },
  );

  expect(scans).toBeGreaterThan(10);
});

test.each([
  [
    'data before what says how to read it',
    '{"inputs":[{"data":[[1,2,3]],"shape":[1,3],"datatype":"FP32","name":"x"}]}',
  ],
  [
    'what tritonclient sends',
    '{"id":"","inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"outputs":[{"name":"y","parameters":{"binary_data":false}}]}',
  ],
  [
    'what Python prints',
    '{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [0.10000000149011612, 1e-07, -2.5]}]}',
  ],
])('the scanner itself reads %s', (_, text) => {
  expect(compare(Buffer.from(text), null)).toBe(true);
});
