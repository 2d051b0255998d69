import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRows } from '../../bench/replay/rows.ts';

export const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** Models of the example repository that another framework than scikit-learn trained. */
export const MODELS = {
  digits: { input: 'pixels', width: 64, output: 'probabilities', answers: 10, rows: 'digits.csv' },
  wine: { input: 'features', width: 13, output: 'probabilities', answers: 3, rows: 'wine.csv' },
} as const;
export type Framed = keyof typeof MODELS;

export interface Sample {
  row: readonly number[];
  /** The framework's own. */
  answer: readonly number[];
}

export const candidateFolder = (candidate: string): string => join(EXAMPLES, 'candidates', candidate);

export function readSamples(candidate: string, model: Framed): Sample[] {
  const { width } = MODELS[model];
  return readRows(join(candidateFolder(candidate), 'samples.csv')).map(line => ({
    row: line.slice(0, width),
    answer: line.slice(width),
  }));
}
