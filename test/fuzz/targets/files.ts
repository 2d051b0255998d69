import { Signature } from '@switchback-ml/schemas';
import { Facts } from '../../../controller/src/command/register/facts.ts';
import { readSamples } from '../../../controller/src/command/register/samples.ts';
import type { Target } from '../target.ts';

const signature = Signature.parse({
  inputs: { features: { datatype: 'FP32', shape: [-1, 2] } },
  outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
});

/** A table of rows that somebody gives to `register`. */
export const samples: Target = {
  read: bytes => void readSamples(bytes.toString('utf8'), signature, 'samples.csv'),
  examples: ['a,b,score\n1,2,0.5\n3,4,0.25\n', 'features.0,features.1\n1,2\n'],
  words: [',', '"', '\n', '\r\n', '\ufeff', ';', 'score', 'features.0', 'NaN', '1e999', '""'],
};

export const facts: Target = {
  read: bytes => void Facts.safeParse(JSON.parse(bytes.toString('utf8'))),
  examples: [
    JSON.stringify({
      framework: { name: 'scikit-learn', version: '1.9.1' },
      parameters: { depth: 3 },
      evaluation: [{ metric: 'auc', value: 0.9, on: 'x', better: 'higher' }],
    }),
  ],
  words: ['"parameters":{', '"lineage":{', '"evaluation":[', '"__proto__":{', '"value":', 'null'],
  caught: ['SyntaxError'],
};
