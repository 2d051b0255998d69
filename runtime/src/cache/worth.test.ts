import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVEN_ODDS, type Experience, explainWorth, learn, type Mean, UNMEASURED, worthOf } from './worth.ts';

const mean = (value: number): Mean => ({ value, samples: 20 });

function experience(costMs: number, roundTripMs: number, knownRatio = EVEN_ODDS.value): Experience {
  return { costMs: mean(costMs), roundTripMs: mean(roundTripMs), knownRatio: mean(knownRatio) };
}

describe('asking a second level', () => {
  test.each([
    ['is not judged before an answer was made', { ...experience(1, 0.1), costMs: UNMEASURED }, 'unmeasured'],
    [
      'is not judged before something was asked',
      { ...experience(1, 0.1), roundTripMs: UNMEASURED },
      'unmeasured',
    ],
    ['pays for a model that is much slower than the wire', experience(3, 0.2), 'pays'],
    ['does not pay for a model that answers before the wire does', experience(0.05, 0.2), 'too-cheap'],
    ['does not pay where next to nothing is known', experience(3, 0.2, 0.01), 'seldom-known'],
    ['pays where little is known of what takes very long', experience(300, 0.2, 0.01), 'pays'],
    [
      'pays for what is hardly slower than the wire where nearly all is known',
      experience(0.25, 0.2, 0.95),
      'pays',
    ],
  ])('%s', (_, known, worth) => {
    expect(worthOf(known)).toBe(worth);
  });

  test('pays only where it saves more time on average than it costs', () => {
    const ms = fc.double({ min: 0.001, max: 1000, noNaN: true });
    fc.assert(
      fc.property(ms, ms, fc.double({ min: 0, max: 1, noNaN: true }), (cost, roundTrip, ratio) => {
        const askedMs = roundTrip + (1 - ratio) * cost;
        if (worthOf(experience(cost, roundTrip, ratio)) === 'pays')
          expect(askedMs).toBeLessThan(cost * (1 + 1e-9));
        else expect(askedMs).toBeGreaterThanOrEqual(cost * (1 - 1e-9));
      }),
    );
  });

  test('is explained with the figures that decide', () => {
    expect(explainWorth(experience(3, 0.2))).toBe(
      'making an answer takes 3.0 ms, asking takes 0.20 ms, and 50.0 % are known',
    );
    expect(explainWorth({ ...experience(3, 0.2), roundTripMs: UNMEASURED })).toContain('nothing was asked');
  });
});

describe('a running mean', () => {
  test('is the plain mean of what it remembers, and stays between the extremes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 }),
        samples => {
          const { value } = samples.reduce((mean, sample) => learn(mean, sample, 50), UNMEASURED);

          expect(value).toBeCloseTo(samples.reduce((sum, sample) => sum + sample, 0) / samples.length, 6);
        },
      ),
    );
  });

  test('forgets: a hundred new samples outweigh a million old ones', () => {
    let known: Mean = { value: 10, samples: 16 };
    for (let i = 0; i < 100; i++) known = learn(known, 1, 16);

    expect(known.value).toBeLessThan(1.1);
    expect(known.samples).toBe(16);
  });
});
