import { expect, test } from 'vitest';
import { Demands } from './demand.ts';

test('what is served stays known, however many names are asked for that nobody serves', () => {
  const demands = new Demands();
  demands.of('fraud@2').isServed = true;

  for (let index = 0; index < 10_000; index++) demands.of(`no-such-${index}`);

  expect(demands.of('fraud@2').isServed).toBe(true);
});

test('only so many are remembered, and none with a long name', () => {
  const demands = new Demands();
  for (let index = 0; index < 5000; index++) demands.of(`model-${index}`).isServed = true;
  demands.of('x'.repeat(1000)).isServed = true;

  const remembered = Array.from({ length: 5000 }, (_, index) => demands.of(`model-${index}`).isServed);

  expect(demands.of('model-4999')).toBe(demands.of('model-4999'));
  expect(remembered[0]).toBe(false);
  expect(demands.of('x'.repeat(1000)).isServed).toBe(false);
});
