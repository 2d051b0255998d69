import { expect, test } from 'vitest';
import { isSameMap, type Memory, Recall } from './memory.ts';

test('a part is computed again only when one of its inputs is another value', () => {
  const memory: Memory = new Map();
  const [a, b] = [{}, {}];
  let computed = 0;
  const pass = (inputs: readonly unknown[]): number => new Recall(memory).part('x', inputs, () => ++computed);

  expect([pass([a, 1]), pass([a, 1]), pass([a, 2]), pass([b, 2]), pass([b]), pass([b])]).toEqual([
    1, 1, 2, 3, 4, 4,
  ]);
});

test('what a pass did not use is forgotten, with all that stood below it, and what stands below a good part is not', () => {
  const memory: Memory = new Map();
  const pass = (names: readonly string[], input: number): void => {
    const recall = new Recall(memory);
    for (const name of names)
      recall.part(name, [input], below => {
        below().part(`${name} below ${input}`, [], () => name);
        return name;
      });
    recall.forgetRest();
  };

  pass(['a', 'b'], 1);
  pass(['a'], 1);
  expect([...memory.keys()]).toEqual(['a']);
  expect([...(memory.get('a')?.below?.keys() ?? [])]).toEqual(['a below 1']);

  pass(['a'], 2);
  expect([...(memory.get('a')?.below?.keys() ?? [])]).toEqual(['a below 2']);
});

test('a value that says the same is the same value', () => {
  const memory: Memory = new Map();
  const settle = (map: Map<string, number>) => new Recall(memory).settled('x', map, isSameMap);
  const first = settle(new Map([['a', 1]]));

  expect(settle(new Map([['a', 1]]))).toBe(first);
  expect(settle(new Map([['a', 2]]))).not.toBe(first);
  expect(settle(new Map([['b', 2]]))).toEqual(new Map([['b', 2]]));
});
