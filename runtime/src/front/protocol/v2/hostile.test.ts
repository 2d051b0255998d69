import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SwitchbackError } from '../../../error.ts';
import { decode, refusal, takes, takesX, x } from './v2.fixture.ts';

describe('hostile bodies', () => {
  const ONE = '{"name":"x","datatype":"FP32","shape":[1],"data":[1]}';

  test('H07 JSON nested two hundred thousand levels deep is refused before it is parsed', () => {
    const nest = '['.repeat(200_000);
    const bodies = [
      nest,
      `{"a":${nest}${']'.repeat(200_000)},"inputs":[${ONE}]}`,
      `{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":${nest}1${']'.repeat(200_000)}}]}`,
      '{"a":'.repeat(200_000),
    ];

    for (const body of bodies)
      expect(refusal(() => decode(body))).toMatchObject({
        code: 'E_BODY',
        message: expect.stringContaining('levels deep'),
      });
    expect(decode(`{"a":"${'['.repeat(100)}\\"","inputs":[${ONE}]}`).read(takesX('FP32', -1)).rows).toBe(1);
  });

  test.each([
    ['1e400', 'a finite FP64'],
    ['-1e400', 'a finite FP64'],
    ['"1"', 'a FP64 number'],
    ['9'.repeat(400), 'a finite FP64'],
  ])('H08 the number %s is refused with its index', (literal, expected) => {
    const text = `{"inputs":[{"name":"x","datatype":"FP64","shape":[2],"data":[0,${literal}]}]}`;

    const { details } = refusal(() => decode(text).read(takesX('FP64', -1)));

    expect(details).toMatchObject({ tensor: 'x', index: 1, expected: expect.stringContaining(expected) });
  });

  test('H08 -0 keeps its sign, and 1E-400 is 0', () => {
    const text = '{"inputs":[{"name":"x","datatype":"FP64","shape":[2],"data":[-0,1E-400]}]}';

    expect(decode(text).read(takesX('FP64', -1)).inputs.get('x')?.data).toEqual(Float64Array.of(-0, 0));
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'H09 %s is a name like any other, for keys, parameters, inputs and outputs',
    name => {
      const key = JSON.stringify(name);
      const known = `{"${name}":{"a":1},"parameters":{"${name}":1},"inputs":[${ONE.replace('{', `{${key}:{},`)}]}`;
      const input = `{"inputs":[${ONE.replace('"x"', key)}]}`;
      const output = `{"inputs":[${ONE}],"outputs":[{"name":${key}}]}`;

      expect(decode(known).read(takesX('FP32', -1)).rows).toBe(1);
      expect(refusal(() => decode(input).read(takesX('FP32', -1))).message).toContain(`no input ${key}`);
      expect(refusal(() => decode(output).read(takesX('FP32', -1))).message).toContain(`no output ${key}`);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );

  test.each<[string, object]>([
    ['a wrong name', { name: 'z' }],
    ['a wrong rank', { shape: [1, 1] }],
    ['a wrong dimension', { shape: [2] }],
    ['a wrong datatype', { datatype: 'INT64' }],
    ['a datatype that nobody knows', { datatype: 'FP128' }],
    ['more data than its shape has', { data: [1, 2] }],
  ])('H10 an input with %s is refused, and so is one too many', (_, more) => {
    const fixed = takes({ x: { datatype: 'FP32', shape: [1] } });
    const input = { ...x('FP32', [1], [1]), ...more };

    const wrong = refusal(() => decode({ inputs: [input] }).read(fixed));
    const extra = refusal(() =>
      decode({ inputs: [x('FP32', [1], [1]), { ...input, name: 'z' }] }).read(fixed),
    );

    expect(wrong).toMatchObject({
      code: 'E_INPUT',
      details: { tensor: expect.any(String), expected: expect.anything(), got: expect.anything() },
    });
    expect(extra).toMatchObject({ code: 'E_INPUT', details: { tensor: 'z' } });
  });

  test.each<[string, unknown[], unknown]>([
    ['ragged lists', [2, 2], [[1, 2], [3]]],
    ['lists that are too deep', [2, 2], [[[1, 2]], [[3, 4]]]],
    ['null', [1, 2], [1, null]],
    ['an empty batch', [0, 2], []],
    ['a batch over the limit', [9, 2], Array(18).fill(1)],
  ])('H11 %s are refused', (_, shape, data) => {
    const error = refusal(() => decode({ inputs: [x('FP32', shape, data)] }).read(takesX('FP32', -1, 2)));

    expect(error).toMatchObject({ code: 'E_INPUT', details: { tensor: 'x' } });
  });

  test('H12 of a key that stands twice the last one counts, wherever it stands', () => {
    const text = `{"inputs":[],"inputs":[${ONE.replace('}', ',"data":[2]}')}],"id":"a","id":"b"}`;

    expect(decode(text).read(takesX('FP32', -1)).inputs.get('x')?.data).toEqual(Float32Array.of(2));
  });

  test('H13 bytes that are no UTF-8 and lone surrogates are refused, in names, texts and around them', () => {
    const broken = Buffer.from(
      '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["\xff"]}]}',
      'latin1',
    );
    const lone = '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["\\udc00"]}]}';

    expect(refusal(() => decode(broken)).message).toContain('UTF-8');
    expect(refusal(() => decode(Buffer.from([0x7b, 0xff, 0x7d]))).message).toContain('UTF-8');
    expect(refusal(() => decode(lone).read(takesX('BYTES', -1))).code).toBe('E_INPUT');
    expect(
      refusal(() => decode(`{"inputs":[${ONE.replace('"x"', '"\\ud800"')}]}`).read(takesX('FP32', -1))).code,
    ).toBe('E_INPUT');
  });

  test('whatever comes is answered with a code of the caller, never with a fault of ours', () => {
    const models = (['FP32', 'FP16'] as const).map(datatype => takesX(datatype, -1, 2));
    const input = fc.record(
      {
        name: fc.constantFrom('x', 'y', '__proto__', 'toString'),
        datatype: fc.constantFrom('FP32', 'FP16', 'FP64', 'BF16', 'BYTES', 'NONE'),
        shape: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 3 }), fc.constant([1, 2])),
        data: fc.oneof(fc.array(fc.jsonValue()), fc.constant([1, 2]), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ inputs: fc.array(input) })), json => {
        for (const to of models)
          try {
            decode(JSON.stringify(json)).read(to);
          } catch (error) {
            expect((error as SwitchbackError).code).toMatch(/^E_(INPUT|BODY)$/);
          }
      }),
    );
  });
});
