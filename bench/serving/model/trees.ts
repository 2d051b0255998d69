import { onnxBytes } from './onnx.ts';

/** A sum of complete trees over normal features, squeezed into 0 to 1. */
export function treesBytes(
  { trees, depth, features }: { trees: number; depth: number; features: number },
  random: () => number,
): Uint8Array {
  const inner = 2 ** depth - 1;
  const each = 2 ** (depth + 1) - 1;
  const leaves = each - inner;
  const perNode = <Value>(of: (node: number) => Value): Value[] =>
    Array.from({ length: trees * each }, (_, index) => of(index % each));
  const perLeaf = (of: (index: number) => number): number[] =>
    Array.from({ length: trees * leaves }, (_, index) => of(index));
  const isLeaf = (node: number): boolean => node >= inner;

  const attributes = {
    n_targets: { int: 1 },
    nodes_treeids: { ints: Array.from({ length: trees * each }, (_, index) => Math.floor(index / each)) },
    nodes_nodeids: { ints: perNode(node => node) },
    nodes_featureids: { ints: perNode(node => (isLeaf(node) ? 0 : Math.floor(random() * features))) },
    nodes_modes: { strings: perNode(node => (isLeaf(node) ? 'LEAF' : 'BRANCH_LEQ')) },
    // Near the middle, so that every path is taken by some row.
    nodes_values: { floats: perNode(node => (isLeaf(node) ? 0 : random() - 0.5)) },
    nodes_truenodeids: { ints: perNode(node => (isLeaf(node) ? 0 : 2 * node + 1)) },
    nodes_falsenodeids: { ints: perNode(node => (isLeaf(node) ? 0 : 2 * node + 2)) },
    target_treeids: { ints: perLeaf(index => Math.floor(index / leaves)) },
    target_nodeids: { ints: perLeaf(index => inner + (index % leaves)) },
    target_ids: { ints: perLeaf(() => 0) },
    target_weights: { floats: perLeaf(() => (random() - 0.5) * (4 / Math.sqrt(trees))) },
  };
  return onnxBytes({
    input: { name: 'input', shape: ['rows', features] },
    output: { name: 'output', shape: ['rows', 1] },
    nodes: [
      {
        op: 'TreeEnsembleRegressor',
        domain: 'ai.onnx.ml',
        inputs: ['input'],
        outputs: ['margin'],
        attributes,
      },
      { op: 'Sigmoid', inputs: ['margin'], outputs: ['output'] },
    ],
    constants: [],
  });
}
