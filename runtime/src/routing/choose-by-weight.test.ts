import type { Backend } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ratioVersion } from '../serving.fixture.ts';
import { chooseByWeight } from './choose-by-weight.ts';

const version = (label: string, weight: number): Backend => ratioVersion({ label, weight }).backend;

describe('choosing by weight', () => {
  test('gives each its share of the random numbers', () => {
    const backends = [version('1', 90), version('2', 10), version('3', 0)];

    const chosen = Array.from({ length: 1000 }, (_, i) => chooseByWeight(backends, i / 1000)?.version);

    expect(chosen.filter(label => label === '1')).toHaveLength(900);
    expect(chosen.filter(label => label === '2')).toHaveLength(100);
  });

  test('always finds one with weight where there is one, however odd the weights', () => {
    const weights = fc.array(fc.float({ min: 0, max: 100, noNaN: true }), { maxLength: 4 });

    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (all, random) => {
        const backends = all.map((weight, i) => version(String(i), weight));
        const chosen = chooseByWeight(backends, random);
        if (all.some(weight => weight > 0)) expect(chosen?.weight).toBeGreaterThan(0);
        else expect(chosen).toBeUndefined();
      }),
    );
  });
});
