import { describe, expect, test } from 'vitest';
import { externalInitializer, type Graph } from '../engine/onnx/graph.fixture.ts';
import { constantNode, contribModel } from './hostile-model.fixture.ts';
import { graph, useFiles } from './preflight.fixture.ts';

const { look, refusal } = useFiles();

describe('operators', () => {
  test.each([
    ['', false],
    [' inside a branch', true],
  ])('of another domain are refused%s, with the node that uses them', (_, inside) => {
    expect(refusal(() => look(contribModel(inside)))).toMatch(
      /node "\/act\/QuickGelu" \(byte \d+\) uses the operator "QuickGelu" of "com.microsoft"/,
    );
  });

  test('of another domain are taken where the caller opted for it', () => {
    const { operators, operatorSets } = look(contribModel(false), ['com.microsoft']);

    expect(operators).toEqual({ 'com.microsoft.QuickGelu': 1 });
    expect(operatorSets).toEqual({ 'ai.onnx': 17, 'com.microsoft': 1 });
  });

  const call = (name: string, input = 'a', output = 'b') => ({
    op: name,
    domain: 'own',
    inputs: [input],
    outputs: [output],
  });
  const local = (name: string, nodes: Graph['nodes']) => ({
    domain: 'own',
    name,
    inputs: ['a'],
    outputs: ['b'],
    nodes,
  });
  const own = { '': 17, own: 1 };

  test('that the file itself defines are taken, and what they use is judged', () => {
    const sine = local('F', [{ op: 'Sin', inputs: ['a'], outputs: ['b'] }]);
    const foreign = local('F', [{ op: 'Evil', domain: 'evil.example', inputs: ['a'], outputs: ['b'] }]);
    const calling = { nodes: [call('F', 'x', 'y')] };

    expect(look(graph(calling, { functions: [sine], operatorSets: own })).operators).toEqual({ Sin: 1 });
    expect(refusal(() => look(graph(calling, { functions: [foreign], operatorSets: own })))).toContain(
      'the operator "Evil" of "evil.example"',
    );
  });

  test('that call themselves are refused', () => {
    const functions = [local('F', [call('G')]), local('G', [call('F')])];

    expect(
      refusal(() => look(graph({ nodes: [call('F', 'x', 'y')] }, { functions, operatorSets: own }))),
    ).toContain('in a circle');
  });

  test('that double with each call of another are refused before they are inlined', () => {
    const functions = Array.from({ length: 30 }, (_, level) =>
      local(
        `F${level}`,
        level === 0
          ? [{ op: 'Sin', inputs: ['a'], outputs: ['b'] }]
          : [call(`F${level - 1}`, 'a', 'c'), call(`F${level - 1}`, 'c', 'b')],
      ),
    );

    expect(
      refusal(() => look(graph({ nodes: [call('F29', 'x', 'y')] }, { functions, operatorSets: own }))),
    ).toContain('once its functions are inlined');
  });
});

describe('weights in other files', () => {
  const entries: [string, Record<string, string>][] = [
    ['an absolute path', { location: '/etc/passwd' }],
    ['a path that climbs out', { location: '../secret.bin' }],
    ['a file beside it', { location: 'weights.bin' }],
    ['a name that is absent', {}],
    ['a negative offset', { location: 'weights.bin', offset: '-8' }],
    ['a length past the end', { location: 'weights.bin', offset: '0', length: '1099511627776' }],
  ];
  test.each(entries)('are refused, by %s', (_, entry) => {
    const message = refusal(() => look(graph({ initializers: [externalInitializer('w', [2], entry)] })));

    expect(message).toContain('tensor "w" of the graph keeps its weights in another file');
    expect(message).toContain('save_as_external_data=False');
  });

  test('are refused inside a node, and inside a function', () => {
    const constant = constantNode(externalInitializer('hidden', [2], { location: 'w' }));
    const local = { domain: 'own', name: 'F', inputs: ['a'], outputs: ['unused'], nodes: [constant] };

    for (const bytes of [
      graph({ nodes: [constant] }),
      graph({}, { functions: [local], operatorSets: { '': 17, own: 1 } }),
    ])
      expect(refusal(() => look(bytes))).toMatch(/"hidden" in the node at byte \d+ keeps its weights/);
  });
});
