import { describe, expect, test } from 'vitest';
import { backendOf, messageOf, refusal } from '../tf-serving/protocol.fixture.ts';
import { IRIS, LOAN, LOAN_TENSORS, readCsv, X } from './invocation.fixture.ts';
import { decodeInvocation } from './request.ts';

describe('CSV', () => {
  test.each([
    [
      'lines that end in CR LF',
      'purpose,income,married,years\r\ncar,1.5,true,3\r\nboat,-2,false,9007199254740991\r\n',
    ],
    [
      'what pandas writes',
      'purpose,income,married,years\ncar,1.5,True,3\nboat,-2.0,False,9007199254740991\n',
    ],
    [
      'quotes and empty lines',
      '\uFEFF"purpose","income",married,years\n\n"car","1.5",1,3\nboat,-2e0,0,9007199254740991',
    ],
  ])('is read by name, also with %s', (_, text) => {
    expect([...readCsv(text, LOAN).inputs]).toEqual(LOAN_TENSORS);
  });

  test('has its columns side by side where the model keeps no names', () => {
    expect(readCsv('b,a\n1,2\n3,4\n', IRIS).inputs.get('x')).toEqual({
      datatype: 'FP32',
      shape: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
    });
  });

  test('keeps 64-bit integers to the last digit', () => {
    const { inputs } = readCsv('x\n9007199254740993\n-1\n', X('INT64', -1));

    expect(inputs.get('x')?.data).toEqual(BigInt64Array.of(9007199254740993n, -1n));
  });

  test('keeps what is within quotes', () => {
    const { inputs } = readCsv('x\n"a ""b"", c"\n"two\r\nlines"\n', X('BYTES', -1));

    expect(inputs.get('x')?.data).toEqual(['a "b", c', 'two\r\nlines']);
  });

  test('has no empty text: it can not be told from a missing value', () => {
    expect(
      refusal(() =>
        readCsv(
          'x,y\na,1\n"",2\n',
          backendOf({ x: { datatype: 'BYTES', shape: [-1] }, y: { datatype: 'INT8', shape: [-1] } }),
        ),
      ).details,
    ).toMatchObject({ row: 1, column: 'x', got: 'empty' });
  });

  test.each([
    ['by name', X('INT64', -1), 'x\n1\n""\n', 'Row 1, column "x" must be a whole'],
    ['side by side', IRIS, 'b,a\n1,\n', 'Row 0, column "a" must be a FP32 number'],
  ])('says of a cell with nothing in it that it is empty, also %s', (_, to, text, start) => {
    const { message } = refusal(() => readCsv(text, to));

    expect(message).toContain(start);
    expect(message).toMatch(/, not empty\.$/);
  });

  test.each([
    ['a fraction for an integer', 'years,age\n1,1\n1.5,1\n', 'Row 1, column "years"'],
    ['an empty cell', 'years,age\n1,1\n,2\n', 'Row 1, column "years"'],
    ['NaN', 'years,age\nNaN,1\n', 'Row 0, column "years"'],
    ['hexadecimals', 'years,age\n0x10,1\n', 'Row 0, column "years"'],
    ['a space', 'years,age\n 1,1\n', 'Row 0, column "years"'],
  ])('is refused for %s, with row and column', (_, text, message) => {
    const to = backendOf({
      years: { datatype: 'INT64', shape: [-1] },
      age: { datatype: 'INT8', shape: [-1] },
    });

    const error = refusal(() => readCsv(text, to));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(message);
  });

  test.each([
    ['nothing', '', 'header line'],
    ['no rows', 'a,b\n', 'at least one row'],
    ['a column without a name', ',a\n0,1\n', 'index'],
    ['a name twice', 'a,a\n1,2\n', 'twice'],
    ['a row that is short', 'a,b\n1,2\n1\n', 'row 1 has 1 cells'],
    ['a row that is long', 'a,b\n1,2,3\n', 'row 0 has 3 cells'],
    ['a quote that is never closed', 'a,b\n1,"2\n', 'line 2: a quote is never closed'],
    ['more after a quote', 'a,b\n1,"2"3\n', 'line 2'],
    ['a quote in the middle', 'a,b\n1,2"3\n', 'line 2'],
    ['one row without end', `a\n${'1'.repeat(300_000)}\n`, 'longer than'],
    ['rows without end', `a\n${'1\n'.repeat(70_000)}`, 'more than 65536 rows'],
  ])('is refused for %s', (_, text, message) => {
    const error = refusal(() => readCsv(text, IRIS));

    expect(error.code).toBe('E_BODY');
    expect(error.message).toContain(message);
  });

  test('is refused for what is not UTF-8', () => {
    const message = messageOf(Buffer.from([0x61, 0x0a, 0xff]), { 'content-type': 'text/csv' });

    expect(refusal(() => decodeInvocation(message)).message).toContain('UTF-8');
  });
});
