import { type Layer, networkBytes } from './network.ts';
import { randomFrom } from './random.ts';
import { treesBytes } from './trees.ts';

/** A model that is measured: FP32 `input` of so many rows → FP32 `output`. */
export interface BenchModel {
  name: string;
  /** In one clause, for the tables. */
  what: string;
  /** Of one row. */
  inputShape: readonly number[];
  outputs: number;
  /** The bytes of its ONNX file; another seed gives other weights, and nothing else. */
  bytes: (seed: number) => Uint8Array;
}

/** In the order of the tables: from hardly any arithmetic to hardly anything else. */
export const MODELS: readonly BenchModel[] = [
  network('iris', 'softmax of 4 measurements', [4], 3, [
    { kind: 'dense', from: 4, to: 3 },
    { kind: 'softmax' },
  ]),
  {
    name: 'trees',
    what: '100 trees of depth 6 over 30 features',
    inputShape: [30],
    outputs: 1,
    bytes: seed => treesBytes({ trees: 100, depth: 6, features: 30 }, randomFrom(seed)),
  },
  network('mlp', 'MLP 784-512-256-10', [784], 10, [
    { kind: 'dense', from: 784, to: 512 },
    { kind: 'relu' },
    { kind: 'dense', from: 512, to: 256 },
    { kind: 'relu' },
    { kind: 'dense', from: 256, to: 10 },
    { kind: 'softmax' },
  ]),
  network('cnn', 'CNN of 28 × 28, 16 and 32 channels', [1, 28, 28], 10, [
    { kind: 'conv', from: 1, to: 16 },
    { kind: 'relu' },
    { kind: 'halve' },
    { kind: 'conv', from: 16, to: 32 },
    { kind: 'relu' },
    { kind: 'halve' },
    { kind: 'flatten' },
    { kind: 'dense', from: 32 * 7 * 7, to: 10 },
    { kind: 'softmax' },
  ]),
  network('wide-cnn', 'CNN of 28 × 28, 32 and 64 channels: bound by arithmetic', [1, 28, 28], 10, [
    { kind: 'conv', from: 1, to: 32 },
    { kind: 'relu' },
    { kind: 'conv', from: 32, to: 64 },
    { kind: 'relu' },
    { kind: 'halve' },
    { kind: 'conv', from: 64, to: 64 },
    { kind: 'relu' },
    { kind: 'halve' },
    { kind: 'flatten' },
    { kind: 'dense', from: 64 * 7 * 7, to: 10 },
    { kind: 'softmax' },
  ]),
];

/** The one whose answers cost least, so that the rest shows. */
export const LIGHTEST = 'iris';
/** The one that is bound by arithmetic. */
export const HEAVIEST = 'wide-cnn';

/** Throws for a name that stands in no table. */
export function modelNamed(name: string): BenchModel {
  const found = MODELS.find(model => model.name === name);
  if (found === undefined) throw new Error(`there is no model "${name}" to measure`);
  return found;
}

function network(
  name: string,
  what: string,
  inputShape: readonly number[],
  outputs: number,
  layers: readonly Layer[],
): BenchModel {
  return {
    name,
    what,
    inputShape,
    outputs,
    bytes: seed => networkBytes(layers, inputShape, outputs, randomFrom(seed)),
  };
}
