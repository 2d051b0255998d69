import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { backendOf, encode, message, read, refusal, x } from './codec.fixture.ts';
import { grpcMessages, readAddress } from './protocol.ts';

const MANY = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`p${i}`, { int64_param: i }]));

describe('a ModelInferRequest', () => {
  test('says which model, which version and how urgent', () => {
    const body = encode({
      model_name: 'ratio',
      model_version: '1.3.0',
      inputs: [x('FP32', [1], null)],
      parameters: {
        priority: { uint64_param: 2 },
        timeout: { int64_param: 1500 },
        other: { double_param: 0.5 },
      },
    });

    expect(readAddress(body)).toEqual({ model: 'ratio', version: '1.3.0' });
    expect(readAddress(encode({ model_name: 'ratio' }))).toEqual({ model: 'ratio', version: null });
    expect(grpcMessages.decode(message(body))).toMatchObject({ priority: 2, timeoutMs: 1.5 });
  });

  test.each([
    ['the header', '2S', undefined, 2000],
    ['the parameter', undefined, 3_000_000, 3000],
    ['whichever is sooner', '500m', 3_000_000, 500],
    ['neither where there is none', undefined, undefined, null],
    ['neither where the parameter is 0', undefined, 0, null],
  ])('waits as long as %s says', (_, header, timeout, expected) => {
    const parameters = timeout === undefined ? {} : { timeout: { int64_param: timeout } };
    const body = encode({ inputs: [x('FP32', [1], null)], parameters });

    const { timeoutMs } = grpcMessages.decode(
      message(body, name => (name === 'grpc-timeout' ? header : undefined)),
    );

    expect(timeoutMs).toBe(expected);
  });

  test.each<[string, object, string, string]>([
    ['too few elements', x('FP32', [3], { fp32_contents: [1, 2] }), 'E_INPUT', 'needs 3 elements, not 2'],
    ['too many elements', x('FP32', [1], { fp32_contents: [1, 2] }), 'E_INPUT', 'needs 1 elements, not 2'],
    ['no data at all', x('FP32', [1], null), 'E_INPUT', 'needs 1 elements, not 0'],
    ['data in the field of others', x('FP32', [1], { int_contents: [1] }), 'E_INPUT', 'fp32_contents'],
    [
      'data in a second field',
      x('FP32', [1], { fp32_contents: [1], fp64_contents: [1] }),
      'E_INPUT',
      'fp64_contents',
    ],
    ['another datatype', x('INT32', [1], { int_contents: [1] }), 'E_INPUT', 'must be FP32; got INT32'],
    ['a datatype that is none', x('FP99', [1], { fp32_contents: [1] }), 'E_INPUT', 'got FP99'],
    ['an inherited datatype', x('constructor', [1], { fp32_contents: [1] }), 'E_INPUT', 'got constructor'],
    ['another rank', x('FP32', [1, 1], { fp32_contents: [1] }), 'E_INPUT', 'shape'],
    ['no row', x('FP32', [0], { fp32_contents: [] }), 'E_INPUT', 'at least one'],
    ['a negative shape', x('FP32', [-1, -1], { fp32_contents: [1] }), 'E_BODY', 'negative size'],
    ['a huge shape', x('FP32', ['9223372036854775807'], { fp32_contents: [1] }), 'E_INPUT', 'needs 92233'],
    ['1,000 dimensions', x('FP32', Array(1000).fill(1), { fp32_contents: [1] }), 'E_BODY', '100 dimensions'],
    [
      'shared memory',
      x('FP32', [1], null, { parameters: { shared_memory_region: { string_param: 'a' } } }),
      'E_BODY',
      'shared memory',
    ],
    ['another name', { ...x('FP32', [1], { fp32_contents: [1] }), name: 'X' }, 'E_INPUT', 'did you mean "x"'],
  ])('is refused with %s', (_, input, code, words) => {
    const error = refusal(() => read(backendOf('FP32', -1), { inputs: [input] }));

    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test.each<[string, object, string, string]>([
    [
      'contents and raw contents',
      { inputs: [x('FP32', [1], { fp32_contents: [1] })], raw_input_contents: [Buffer.alloc(4)] },
      'E_INPUT',
      'both',
    ],
    [
      'fewer raw contents than inputs',
      { inputs: [x('FP32', [1], null), x('FP32', [1], null)], raw_input_contents: [Buffer.alloc(4)] },
      'E_BODY',
      '2 inputs and 1 raw',
    ],
    [
      'more raw contents than inputs',
      { inputs: [x('FP32', [1], null)], raw_input_contents: [Buffer.alloc(4), Buffer.alloc(4)] },
      'E_BODY',
      '1 inputs and 2 raw',
    ],
    [
      'raw contents of another size',
      { inputs: [x('FP32', [2], null)], raw_input_contents: [Buffer.alloc(7)] },
      'E_INPUT',
      '8 bytes',
    ],
    [
      'an input twice',
      { inputs: [x('FP32', [1], { fp32_contents: [1] }), x('FP32', [1], { fp32_contents: [1] })] },
      'E_INPUT',
      'twice',
    ],
    ['no inputs', {}, 'E_BODY', 'no inputs'],
    ['1,001 inputs', { inputs: Array(1001).fill(x('FP32', [1], null)) }, 'E_BODY', '1000 tensors'],
    [
      'an unknown output',
      { inputs: [x('FP32', [1], { fp32_contents: [1] })], outputs: [{ name: 'z' }] },
      'E_INPUT',
      'no output "z"',
    ],
    [
      'an output twice',
      { inputs: [x('FP32', [1], null)], outputs: [{ name: 'y' }, { name: 'y' }] },
      'E_BODY',
      'twice',
    ],
    [
      'no class of an output',
      {
        inputs: [x('FP32', [1], null)],
        outputs: [{ name: 'y', parameters: { classification: { int64_param: 0 } } }],
      },
      'E_BODY',
      'whole number from 1',
    ],
    ['10,000 parameters', { inputs: [x('FP32', [1], null)], parameters: MANY }, 'E_BODY', '1000 parameters'],
    [
      '10,000 parameters of an input',
      { inputs: [x('FP32', [1], null, { parameters: MANY })] },
      'E_BODY',
      '1000 parameters',
    ],
    [
      'an output in shared memory',
      {
        inputs: [x('FP32', [1], null)],
        outputs: [{ name: 'y', parameters: { shared_memory_region: { string_param: 'a' } } }],
      },
      'E_BODY',
      'shared memory',
    ],
    [
      'a sequence',
      { inputs: [x('FP32', [1], null)], parameters: { sequence_id: { int64_param: 1 } } },
      'E_BODY',
      'sequence',
    ],
    [
      'a reserved parameter',
      { inputs: [x('FP32', [1], null)], parameters: { triton_x: { bool_param: true } } },
      'E_BODY',
      'reserved',
    ],
    [
      'a priority that is text',
      { inputs: [x('FP32', [1], null)], parameters: { priority: { string_param: '1' } } },
      'E_BODY',
      'whole number',
    ],
    [
      'a negative timeout',
      { inputs: [x('FP32', [1], null)], parameters: { timeout: { int64_param: -5 } } },
      'E_BODY',
      'whole number',
    ],
    ['an id of 2,000 characters', { id: 'a'.repeat(2000), inputs: [x('FP32', [1], null)] }, 'E_BODY', 'id'],
  ])('is refused with %s altogether', (_, request, code, words) => {
    const error = refusal(() => read(backendOf('FP32', -1), request));

    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('takes parameters that it does not know', () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`p${i}`, { string_param: String(i) }]),
    );

    const { rows } = read(backendOf('FP32', -1), {
      inputs: [x('FP32', [1], { fp32_contents: [1] }, { parameters })],
      parameters,
    });

    expect(rows).toBe(1);
  });

  test('refuses classes of an output that is text', () => {
    const backend = backendOf('FP32', -1);
    backend.signature = { ...backend.signature, outputs: { y: { datatype: 'BYTES', shape: [-1] } } };
    const outputs = [{ name: 'y', parameters: { classification: { int64_param: 2 } } }];

    const error = refusal(() => read(backend, { inputs: [x('FP32', [1], { fp32_contents: [1] })], outputs }));

    expect(error).toMatchObject({ code: 'E_INPUT', message: expect.stringContaining('no classification') });
  });

  test.each([
    ['millions of empty inputs', Buffer.of(0x2a, 0)],
    ['millions of empty parameters', Buffer.of(0x22, 0)],
    ['millions of empty raw contents', Buffer.of(0x3a, 0)],
    ['millions of unknown fields', Buffer.of(0x7a, 0)],
  ])('is refused quickly with %s', (_, field) => {
    const body = Buffer.alloc(8 * 2 ** 20, field);
    const began = performance.now();

    expect(refusal(() => grpcMessages.decode(message(body))).code).toBe('E_BODY');
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test('is refused as what it is, whatever bytes come', () => {
    const good = encode({
      model_name: 'ratio',
      inputs: [x('INT64', [2], { int64_contents: [1, -1] }, { parameters: { a: { bool_param: true } } })],
      outputs: [{ name: 'y' }],
    });
    const backend = backendOf('INT64', -1);
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map(changes => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat(good.length).map(length => good.subarray(0, length));
    const any = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes));

    fc.assert(
      fc.property(fc.oneof(mutated, cut, any), body => {
        try {
          readAddress(body);
          grpcMessages.decode(message(body)).read(backend);
        } catch (error) {
          expect(error).toBeInstanceOf(SwitchbackError);
          expect((error as SwitchbackError).code).toMatch(/^E_(BODY|INPUT)$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
