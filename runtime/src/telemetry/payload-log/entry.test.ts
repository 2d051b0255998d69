import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor, Tensors } from '../../engine/tensor.ts';
import { COMMIT, REVISION } from '../served.fixture.ts';
import { estimateBytes, type Payload, printPayload } from './entry.ts';

const column = (...values: number[]): Tensor => ({
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});

function payload(inputs: Record<string, Tensor>, outputs: Record<string, Tensor> = {}): Payload {
  return {
    predictionId: `${REVISION}.0123456789abcdef01234567`,
    id: 'order 7',
    code: null,
    commit: COMMIT,
    model: 'fraud',
    version: '1',
    revision: REVISION,
    inputs: new Map(Object.entries(inputs)),
    outputs: new Map(Object.entries(outputs)),
  };
}

const read = (text: string) => JSON.parse(text);

test('a line holds what was asked and answered, and the id that labels come under', () => {
  const line = printPayload(payload({ x: column(1, 2) }, { y: column(0.5) }), 1000, new Set());

  expect(line.endsWith('}\n')).toBe(true);
  expect(read(line)).toEqual({
    at: '1970-01-01T00:00:01.000Z',
    predictionId: `${REVISION}.0123456789abcdef01234567`,
    id: 'order 7',
    model: 'fraud',
    version: '1',
    revision: REVISION,
    commit: COMMIT,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [0.5] }],
  });
});

test('a request that was not answered has a line as well, with why, and no id that its caller never heard', () => {
  const failed = { ...payload({ x: column(1) }), predictionId: null, id: null, code: 'E_ENGINE_DIED' };

  const line = read(printPayload(failed, 0, new Set(['x'])));

  expect(line).toMatchObject({
    code: 'E_ENGINE_DIED',
    revision: REVISION,
    inputs: [{ name: 'x', redacted: true }],
    outputs: [],
  });
  expect(line).not.toHaveProperty('predictionId');
  expect(line).not.toHaveProperty('id');
});

test('an id is kept no longer than any protocol takes one', () => {
  const long = { ...payload({}), id: 'x'.repeat(100_000) };

  expect(read(printPayload(long, 0, 'all')).id).toHaveLength(256);
});

test('numbers that JSON has no words for are kept as text', () => {
  const wide: Tensor = { datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n ** 62n + 1n) };

  const { inputs } = read(printPayload(payload({ x: column(Number.NaN, -Infinity), wide }), 0, new Set()));

  expect(inputs[0].data).toEqual(['NaN', '-Infinity']);
  expect(inputs[1].data).toEqual(['4611686018427387905']);
});

describe('what is redacted', () => {
  const SECRET = 'S3CRET';
  const names = fc.oneof(
    fc.constantFrom('card', 'Card', '__proto__', 'constructor', 'toJSON', 'data', ''),
    fc.string({ maxLength: 8 }),
  );
  const secret: fc.Arbitrary<Tensor> = fc
    .array(
      fc.string({ maxLength: 6 }).map(text => `${text}${SECRET}${text}`),
      { minLength: 1, maxLength: 4 },
    )
    .map(data => ({ datatype: 'BYTES', shape: [data.length], data }));
  const tensors: fc.Arbitrary<Tensors> = fc
    .array(fc.tuple(names, secret), { maxLength: 6 })
    .map(entries => new Map(entries));

  test('is not in the line, whatever it is called and wherever it stands, and everything else is', () => {
    fc.assert(
      fc.property(tensors, tensors, fc.array(names), (inputs, outputs, redacted) => {
        const hidden = new Set(redacted);
        const line = printPayload({ ...payload({}), inputs, outputs }, 0, hidden);

        const shown = read(line);
        for (const side of [
          [inputs, shown.inputs],
          [outputs, shown.outputs],
        ] as const) {
          const [given, printed] = side;
          for (const [index, [name, { data }]] of [...given].entries()) {
            expect(printed[index].name).toBe(name);
            expect(printed[index].data).toEqual(hidden.has(name) ? undefined : data);
            expect(printed[index].redacted).toBe(hidden.has(name) ? true : undefined);
          }
        }
        const visible = [inputs, outputs].flatMap(side => [...side.keys()].filter(name => !hidden.has(name)));
        expect(line.includes(SECRET)).toBe(visible.length > 0);
      }),
    );
  });

  test('is every value of every tensor where all are', () => {
    fc.assert(
      fc.property(tensors, tensors, (inputs, outputs) => {
        const line = printPayload({ ...payload({}), inputs, outputs }, 0, 'all');

        expect(line).not.toContain(SECRET);
        expect(read(line).inputs).toHaveLength(inputs.size);
      }),
    );
  });
});

test('the estimate of a line is about its size for numbers, and no less than half of it for texts', () => {
  const numbers = payload({ x: column(...Array.from({ length: 2000 }, (_, n) => n / 7)) });
  const texts = payload({
    x: { datatype: 'BYTES', shape: [100], data: Array.from({ length: 100 }, () => 'abc\n"é') },
  });

  for (const one of [numbers, texts]) {
    const bytes = Buffer.byteLength(printPayload(one, 0, new Set()));
    expect(estimateBytes(one)).toBeGreaterThan(bytes / 2);
    expect(estimateBytes(one)).toBeLessThan(bytes * 4);
  }
});
