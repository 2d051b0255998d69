import {
  type Graph,
  graphAttribute,
  initializer,
  intAttribute,
  type Node,
  onnxModel,
  sparseInitializer,
  tensorAttribute,
  type Value,
} from '../engine/onnx/graph.fixture.ts';

/** `y = x` for rows of one number, with whatever else is asked for. */
export function plainGraph(extra: Partial<Graph> = {}): Graph {
  return {
    inputs: [column('x')],
    outputs: [column('y')],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    ...extra,
  };
}

export function column(name: string, shape: Value['shape'] = ['rows', 1]): Value {
  return { name, datatype: 'FP32', shape };
}

export function int64s(name: string, ...values: number[]): Uint8Array {
  const data = BigInt64Array.from(values, BigInt);
  return initializer(name, 'INT64', [values.length], new Uint8Array(data.buffer));
}

export function scalar(name: string, datatype: 'INT64' | 'BOOL', value: number): Uint8Array {
  const raw =
    datatype === 'BOOL' ? Uint8Array.of(value) : new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  return initializer(name, datatype, [], raw);
}

/** Goes round a loop `turns` times before it answers with its input. */
export function loopModel(turns: number): Uint8Array {
  const body: Graph = {
    inputs: [
      { name: 'turn', datatype: 'INT64', shape: [] },
      { name: 'goOn', datatype: 'BOOL', shape: [] },
      column('before'),
    ],
    outputs: [{ name: 'goOnStill', datatype: 'BOOL', shape: [] }, column('after')],
    nodes: [
      { op: 'Identity', inputs: ['goOn'], outputs: ['goOnStill'] },
      { op: 'Sin', inputs: ['before'], outputs: ['after'] },
    ],
  };
  return onnxModel(
    plainGraph({
      initializers: [scalar('turns', 'INT64', turns), scalar('always', 'BOOL', 1)],
      nodes: [
        {
          op: 'Loop',
          inputs: ['turns', 'always', 'x'],
          outputs: ['y'],
          attributes: [graphAttribute('body', body)],
        },
      ],
    }),
  );
}

const BOMB_ELEMENTS = 2 ** 29;

/** Asks for two gigabytes while it is opened: one weight of many that are nought, which the engine spells out, … */
export function loadBombModel(elements = BOMB_ELEMENTS): Uint8Array {
  const value = initializer('size', 'FP32', [1], new Uint8Array(Float32Array.of(1).buffer));
  return onnxModel(
    plainGraph({
      sparse: [sparseInitializer(value, int64s('at', 0), [elements])],
      nodes: [
        { op: 'ReduceSum', inputs: ['size'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
        { op: 'Add', inputs: ['x', 'sum'], outputs: ['y'] },
      ],
    }),
  );
}

/** … when it first runs, whatever is asked of it, … */
export function constantBombModel(): Uint8Array {
  return bomb([
    { op: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
    { op: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
  ]);
}

/** … or out of what it is asked. */
export function runBombModel(by: 'Expand' | 'Tile'): Uint8Array {
  return bomb([
    { op: 'ReduceMax', inputs: ['x'], outputs: ['one'], attributes: [intAttribute('keepdims', 0)] },
    { op: 'Reshape', inputs: ['one', 'unit'], outputs: ['single'] },
    { op: by, inputs: ['single', 'size'], outputs: ['many'] },
    { op: 'ReduceSum', inputs: ['many'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
  ]);
}

function bomb(nodes: readonly Node[]): Uint8Array {
  return onnxModel(
    plainGraph({
      initializers: [int64s('size', BOMB_ELEMENTS), int64s('unit', 1)],
      nodes: [...nodes, { op: 'Add', inputs: ['x', 'sum'], outputs: ['y'] }],
    }),
  );
}

/** Branches within branches. */
export function nestedModel(depth: number): Uint8Array {
  let inner = IDENTITY;
  for (let level = 1; level < depth; level++) inner = branch([choice(inner, 'inner')]);
  return onnxModel(plainGraph({ initializers: [scalar('always', 'BOOL', 1)], nodes: [choice(inner, 'y')] }));
}

const IDENTITY = branch([{ op: 'Identity', inputs: ['x'], outputs: ['inner'] }]);

function branch(nodes: readonly Node[]): Graph {
  return { inputs: [], outputs: [column('inner')], nodes };
}

function choice(inner: Graph, output: string): Node {
  const attributes = [graphAttribute('then_branch', inner), graphAttribute('else_branch', IDENTITY)];
  return { op: 'If', inputs: ['always'], outputs: [output], attributes };
}

/** Answers with chance added, as a layer of dropout that was left on. */
export function randomModel(): Uint8Array {
  return onnxModel(
    plainGraph({
      nodes: [
        { op: 'RandomNormalLike', inputs: ['x'], outputs: ['noise'] },
        { op: 'Add', inputs: ['x', 'noise'], outputs: ['y'] },
      ],
    }),
  );
}

/** Answers each row less the mean of the rows beside it, as batch normalisation that was left on. */
export function neighbourlyModel(): Uint8Array {
  return onnxModel(
    plainGraph({
      nodes: [
        { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: [intAttribute('keepdims', 0)] },
        { op: 'Sub', inputs: ['x', 'mean'], outputs: ['y'] },
      ],
    }),
  );
}

/** An operator that ONNX Runtime has and ONNX has not; `inside` a branch or in the open. */
export function contribModel(inside: boolean): Uint8Array {
  const foreign = (output: string): Node => ({
    op: 'QuickGelu',
    domain: 'com.microsoft',
    name: '/act/QuickGelu',
    inputs: ['x'],
    outputs: [output],
  });
  const nodes = inside ? [choice(branch([foreign('inner')]), 'y')] : [foreign('y')];
  const initializers = [scalar('always', 'BOOL', 1)];
  return onnxModel(plainGraph({ nodes, initializers }), { operatorSets: { '': 17, 'com.microsoft': 1 } });
}

export function constantNode(tensor: Uint8Array): Node {
  return { op: 'Constant', inputs: [], outputs: ['unused'], attributes: [tensorAttribute('value', tensor)] };
}
