import { TensorName } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { findConfinement } from '../engine/onnx/confinement.ts';
import {
  type Graph,
  identityModel,
  onnxModel,
  packedInitializer,
  ratioModel,
} from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import {
  column,
  constantNode,
  loadBombModel,
  loopModel,
  nestedModel,
  plainGraph,
} from './hostile-model.fixture.ts';
import { readModel } from './model.ts';
import { graph, tensor, useFiles } from './preflight.fixture.ts';
import { TENSOR_NAME } from './value.ts';
import { Wire } from './wire.ts';

const { written, look, refusal } = useFiles();

describe('preflight', () => {
  test('tells what a graph is, with what stands inside its loops', () => {
    expect(look(ratioModel())).toEqual({
      irVersion: 8,
      operatorSets: { 'ai.onnx': 17 },
      operators: { ReduceMax: 1, Greater: 1, Loop: 1, Div: 1, Identity: 2 },
      inputs: [
        { name: 'numerator', datatype: 'FP32', shape: [-1, 1] },
        { name: 'denominator', datatype: 'FP32', shape: [-1, 1] },
      ],
      outputs: [{ name: 'ratio', datatype: 'FP32', shape: [-1, 1] }],
      nodes: 6,
      weightsBytes: 4,
    });
  });

  test('counts no weight as an input, where an older exporter lists it as one', () => {
    const facts = look(graph({ inputs: [column('x'), column('w', [2])], initializers: [tensor([2], 8)] }));

    expect(facts.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(facts.weightsBytes).toBe(8);
  });

  test('takes an empty constant, which exporters write for "no value"', () => {
    expect(look(graph({ initializers: [tensor([0], 0)] })).weightsBytes).toBe(0);
  });

  test('reads none of the weights', () => {
    const bytes = graph({ initializers: [tensor([2 ** 22], 2 ** 24)] });
    let readBytes = 0;
    const wire = new Wire({
      sizeBytes: bytes.length,
      read: (target, offset) => {
        const part = bytes.subarray(offset, offset + target.length);
        target.set(part);
        readBytes += part.length;
        return part.length;
      },
      [Symbol.dispose]: () => {},
    });

    const { census } = readModel(wire);

    expect(census.weightsBytes).toBe(2 ** 24);
    expect(readBytes).toBeLessThan(2 ** 19);
  });

  test('has the grammar of tensor names that the contract has', () => {
    const { checks } = TensorName.def as { checks?: { _zod: { def: { pattern?: RegExp } } }[] };

    expect(checks?.map(check => check._zod.def.pattern?.source)).toEqual([TENSOR_NAME.source]);
  });
});

describe('graphs within graphs', () => {
  test('are taken sixteen deep', () => {
    expect(look(nestedModel(16)).nodes).toBe(33);
  });

  test.each([17, 200])('are refused %i deep', depth => {
    expect(refusal(() => look(nestedModel(depth)))).toMatch(/at byte \d+ graphs are nested 17 deep/);
  });
});

describe('dimensions', () => {
  test.each<[string, Partial<Graph>, string]>([
    ['beyond all files', { initializers: [tensor([2 ** 31, 2 ** 31], 8)] }, 'more elements than any file'],
    ['negative', { initializers: [tensor([-2], 8)] }, 'has the dimension -2'],
    ['for other bytes', { initializers: [tensor([3], 8)] }, '[3], which is 12 bytes, and holds 8'],
    [
      'of an input: beyond all engines',
      { inputs: [column('x', [2 ** 20, 2 ** 20])] },
      'than an engine can hold',
    ],
    ['of an input: negative', { inputs: [column('x', [-2, 1])] }, 'input "x" has the dimension -2'],
    ['of an input: zero', { inputs: [column('x', [0, 1])] }, 'input "x" has the dimension 0'],
    ['of an output: zero', { outputs: [column('y', ['rows', 0])] }, 'output "y" has the dimension 0'],
    ['of an output: nine', { outputs: [column('y', Array(9).fill(1))] }, 'more than 8 dimensions'],
    ['in a node', { nodes: [constantNode(tensor([5], 8))] }, 'in the node at byte'],
  ])('are refused: %s', (_, extra, what) => {
    expect(refusal(() => look(graph(extra)))).toContain(what);
  });

  test('are those of the numbers, where a weight stands as numbers instead of bytes', () => {
    const [three, many] = [[1, -2, 300], Array.from({ length: 200_000 }, (_, index) => index)];

    expect(look(graph({ initializers: [packedInitializer('w', [3], three)] })).nodes).toBe(1);
    expect(look(graph({ initializers: [packedInitializer('w', [200_000], many)] })).nodes).toBe(1);
    expect(refusal(() => look(graph({ initializers: [packedInitializer('w', [4], three)] })))).toContain(
      'which is 4 numbers, and holds 3',
    );
  });

  test('of a sparse weight are refused beyond what an engine can hold', () => {
    expect(look(loadBombModel()).weightsBytes).toBe(12);
    expect(refusal(() => look(loadBombModel(2 ** 32)))).toContain('stands for 4294967296 elements');
  });

  test('may be open, also by the -1 that some exporters write', () => {
    expect(look(graph({ inputs: [column('x', [-1, 'width'])] })).inputs[0]?.shape).toEqual([-1, -1]);
  });
});

describe('elements', () => {
  test('of 16 bits are those of FP16', () => {
    expect(look(identityModel('FP16', ['rows', 2])).inputs).toEqual([
      { name: 'x', datatype: 'FP16', shape: [-1, 2] },
    ]);
  });

  test('of BF16 are refused, and all that have them are named', () => {
    const message = refusal(() =>
      look(
        graph({
          inputs: [column('ids'), { ...column('x'), datatype: 'BF16' }],
          outputs: [
            { ...column('y'), datatype: 'BF16' },
            { ...column('z\n'), datatype: 'BF16' },
          ],
        }),
      ),
    );

    expect(message).toContain('input "x", output "y", output "z?" are BF16, which can not be served');
    expect(message).toContain('Export the model with inputs and outputs of FP32, FP16,');
  });

  test('that nobody names are refused by their number', () => {
    const nameless = Buffer.from(identityModel('BF16', [1]));
    nameless.set(
      nameless.map((byte, at) =>
        byte === 16 && nameless[at - 1] === 8 && nameless[at - 2] === 8 ? 99 : byte,
      ),
    );

    expect(refusal(() => look(nameless))).toContain('are of the element type 99');
  });

  test('of many are not all named', () => {
    const inputs = Array.from({ length: 7 }, (_, index) => ({
      ...column(`x${index}`),
      datatype: 'BF16' as const,
    }));

    expect(refusal(() => look(graph({ inputs })))).toContain('input "x4" and 2 more are BF16');
  });
});

describe('names and counts', () => {
  test('of a tensor that no request could name are refused', () => {
    const message = refusal(() => look(graph({ inputs: [column('x\n{"level":50}')] })));

    expect(message).toContain('input "x?{\'level\':50}" has no name of 1 to 200');
    expect(refusal(() => look(graph({ inputs: [column('__proto__')] })))).toContain('is called "__proto__"');
  });

  test.each<[string, Partial<Graph>, string]>([
    [
      'a name of two kilobytes',
      { outputs: [column('y'.repeat(2000))] },
      'has 2000 bytes, and 1000 are the most',
    ],
    [
      'a thousand and one outputs',
      { outputs: Array.from({ length: 1001 }, (_, index) => column(`y${index}`)) },
      'it has 1001 outputs',
    ],
  ])('are refused: %s', (_, extra, what) => {
    expect(refusal(() => look(graph(extra)))).toContain(what);
  });
});

describe('versions', () => {
  const of = (irVersion: number, operatorSets: Record<string, number>) =>
    onnxModel(plainGraph(), { irVersion, operatorSets });
  const cases: [string, Uint8Array, Uint8Array, RegExp][] = [
    [
      'of the operators',
      of(10, { '': 26 }),
      of(10, { '': 27 }),
      /operators ai.onnx, .* up to 26.*opset_version=26/,
    ],
    [
      'of the operators of ai.onnx.ml',
      of(10, { '': 17, 'ai.onnx.ml': 5 }),
      of(10, { '': 17, 'ai.onnx.ml': 6 }),
      /version 6 of the operators ai.onnx.ml/,
    ],
    ['of the file', of(13, { '': 17 }), of(14, { '': 17 }), /IR version 14, .* up to 13/],
  ];
  test.each(cases)('%s are known up to the one that ONNX Runtime knows', async (_, known, newer, message) => {
    const open = async (bytes: Uint8Array) => {
      const start = onnxEngines(await findConfinement());
      await using engine = await start(AbortSignal.timeout(20_000));
      return await engine.load({ path: written(bytes), memoryBytes: 2 ** 28, timeoutMs: 20_000 });
    };

    expect(look(known).nodes).toBe(1);
    await expect(open(known)).resolves.toBeDefined();
    expect(refusal(() => look(newer))).toMatch(message);
    await expect(open(newer)).rejects.toMatchObject({ code: 'E_MODEL_LOAD' });
  });

  test('of a loop that never ends are none of its business: a deadline is', () => {
    expect(look(loopModel(2 ** 40)).operators['Loop']).toBe(1);
  });

  test('of an operator set nobody uses do no harm', () => {
    expect(look(of(8, { '': 17, 'unused.example': 99 })).operatorSets).toEqual({
      'ai.onnx': 17,
      'unused.example': 99,
    });
  });
});
