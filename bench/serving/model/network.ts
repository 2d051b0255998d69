import { type Constant, type GraphNode, onnxBytes } from './onnx.ts';
import { normals } from './random.ts';

/** A step of a network, from its input to its output, one after another. */
export type Layer =
  | { kind: 'dense'; from: number; to: number }
  | { kind: 'conv'; from: number; to: number }
  | { kind: 'relu' }
  | { kind: 'halve' }
  | { kind: 'flatten' }
  | { kind: 'softmax' };

const KERNEL = 3;

/** A network with random weights, scaled so that values neither die out nor blow up on their way. */
export function networkBytes(
  layers: readonly Layer[],
  inputShape: readonly number[],
  outputs: number,
  random: () => number,
): Uint8Array {
  const nodes: GraphNode[] = [];
  const constants: Constant[] = [];
  for (const [index, layer] of layers.entries()) {
    const input = index === 0 ? 'input' : `value-${index}`;
    const output = index === layers.length - 1 ? 'output' : `value-${index + 1}`;
    const weights = weightsOf(layer, index, random);
    constants.push(...weights);
    const inputs = [input, ...weights.map(({ name }) => name)];
    nodes.push({ ...operatorOf(layer), inputs, outputs: [output] });
  }
  return onnxBytes({
    input: { name: 'input', shape: ['rows', ...inputShape] },
    output: { name: 'output', shape: ['rows', outputs] },
    nodes,
    constants,
  });
}

function operatorOf(layer: Layer): Pick<GraphNode, 'op' | 'attributes'> {
  switch (layer.kind) {
    case 'dense':
      return { op: 'Gemm' };
    case 'conv':
      return {
        op: 'Conv',
        attributes: { kernel_shape: { ints: [KERNEL, KERNEL] }, pads: { ints: [1, 1, 1, 1] } },
      };
    case 'halve':
      return { op: 'MaxPool', attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } } };
    case 'relu':
      return { op: 'Relu' };
    case 'flatten':
      return { op: 'Flatten' };
    case 'softmax':
      return { op: 'Softmax', attributes: { axis: { int: 1 } } };
  }
}

function weightsOf(layer: Layer, index: number, random: () => number): Constant[] {
  if (layer.kind !== 'dense' && layer.kind !== 'conv') return [];
  const { kind, from, to } = layer;
  const fanIn = kind === 'dense' ? from : from * KERNEL * KERNEL;
  const shape = kind === 'dense' ? [from, to] : [to, from, KERNEL, KERNEL];
  return [
    { name: `weights-${index}`, shape, values: normals(random, to * fanIn, Math.sqrt(2 / fanIn)) },
    { name: `bias-${index}`, shape: [to], values: normals(random, to, 0.1) },
  ];
}
