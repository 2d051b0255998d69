import type { Signature } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSamples } from './samples.ts';

const MATRIX: Signature = {
  inputs: { features: { datatype: 'FP32', shape: [-1, 2] } },
  outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
};
const NAMED: Signature = {
  inputs: { age: { datatype: 'INT64', shape: [-1] }, country: { datatype: 'BYTES', shape: [-1, 1] } },
  outputs: { odds: { datatype: 'FP64', shape: [-1, 3] }, label: { datatype: 'INT64', shape: [-1] } },
};

describe('samples', () => {
  it('takes the columns of a matrix in their order and the answers from the column named like the output', () => {
    const samples = readSamples('a,score,b\n1,0.5,2\n3,0.25,4\n', MATRIX, 'rows.csv');

    expect(samples).toEqual({
      rows: 2,
      inputs: { features: { datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] } },
      answers: { score: { datatype: 'FP32', shape: [2, 1], data: [0.5, 0.25] } },
    });
  });

  it('takes columns named like inputs and outputs, wide ones by their numbers, in any order', () => {
    const csv = 'odds.2,odds.0,country,age,odds.1,label\n0.3,0.1,DE,40,0.2,1\n';

    const samples = readSamples(csv, NAMED, 'rows.csv');

    expect(samples.inputs).toEqual({
      age: { datatype: 'INT64', shape: [1], data: [40] },
      country: { datatype: 'BYTES', shape: [1, 1], data: ['DE'] },
    });
    expect(samples.answers['odds']).toEqual({ datatype: 'FP64', shape: [1, 3], data: [0.1, 0.2, 0.3] });
    expect(samples.answers['label']?.data).toEqual([1]);
  });

  it('has no answers where no column is named like an output', () => {
    expect(readSamples('a,b\n1,2\n', MATRIX, 'rows.csv').answers).toEqual({});
  });

  it.each([
    ['a,b\n', /has no rows/],
    ['a,a,score\n1,2,3\n', /two columns named "a"/],
    ['a,score\n1,2\n', /has 1 columns for "features", which takes 2/],
    ['a,b\n1,x\n', /line 2 \(features\): "x" in column "b" is not a finite FP32 number/],
    ['a,b\n1,2\n3,nan\n', /line 3 .*"nan"/],
    ['a,b\n\n1,2\n3,nan\n', /line 4 .*"nan"/],
    ['a,b\n1,1e39\n', /"1e39" in column "b"/],
    ['a,b\n1,\n', /"" in column "b"/],
    ['a,b\n1,2,3\n', /not a CSV file/],
  ])('refuses %j in words', (csv, words) => {
    expect(() => readSamples(csv, MATRIX, 'rows.csv')).toThrow(words);
  });

  it('refuses columns that belong to nothing, inputs without a column, and gaps in a wide output', () => {
    const head = 'age,country';
    expect(() => readSamples(`${head},shoe\n1,DE,44\n`, NAMED, 'r.csv')).toThrow(
      /neither input nor output: "shoe"/,
    );
    expect(() => readSamples('age\n1\n', NAMED, 'r.csv')).toThrow(/no column for the input country/);
    expect(() => readSamples(`${head},odds.0,odds.2\n1,DE,1,2\n`, NAMED, 'r.csv')).toThrow(
      /no column "odds.1"/,
    );
  });

  it('refuses integers that JSON would round', () => {
    expect(() => readSamples('age,country\n9007199254740993,DE\n', NAMED, 'r.csv')).toThrow(/INT64/);
  });

  it('gives back what any table of finite numbers holds', () => {
    const row = fc.tuple(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), rows => {
        const csv = ['a,b', ...rows.map(cells => cells.join(','))].join('\n');
        const { inputs } = readSamples(csv, MATRIX, 'rows.csv');
        expect(inputs['features']?.data.map(Number)).toEqual(rows.flat().map(value => Number(String(value))));
      }),
    );
  });
});
