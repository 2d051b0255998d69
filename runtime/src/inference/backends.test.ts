import { expect, test } from 'vitest';
import { ratioVersion, snapshotOf } from '../serving.fixture.ts';
import type { Serving } from '../serving.ts';
import { notServed } from './backends.ts';

/** As much as is asked of what is served: nothing is applied yet. */
function servingOf(models: readonly string[]): Serving {
  const { backend } = ratioVersion();
  const snapshot = snapshotOf(Object.fromEntries(models.map(model => [model, [backend]])));
  return { snapshot, routes: new Map() } as unknown as Serving;
}

test('with few models a caller who mistyped one is told all of them', () => {
  const { message, details } = notServed(servingOf(['ratio', 'echo']), 'nobody', null);

  expect(message).toBe('There is no model "nobody" here; there is ratio, echo.');
  expect(details).toEqual({ models: ['ratio', 'echo'], count: 2 });
});

test('with many models a caller who mistyped one is told the nearest, and how many there are', () => {
  const models = Array.from({ length: 1000 }, (_, index) => `model-${index}`);

  const { message, details } = notServed(servingOf([...models, 'fraud-scorer']), 'Fruad-scorer', null);

  expect(details).toMatchObject({ count: 1001 });
  expect(details['models']).toHaveLength(5);
  expect(message).toMatch(/there is fraud-scorer, .* and 996 more\.$/);
  expect(message.length).toBeLessThan(200);
});
