import type { Indicator, ModelName, RevisionId } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { Tensor, Tensors } from '../engine/tensor.ts';
import { type Attempt, Counts, nonFiniteOutputs } from './counts.ts';

const MODEL = 'm' as ModelName;
const REVISION = 'aaaaaaaaaaaa-bbbbbbbb' as RevisionId;
const column = (...values: number[]): Tensor => ({
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});

function attempt(indicators: Indicator[], outputs: Record<string, Tensor> | null, durationMs = 1): Attempt {
  const tensors: Tensors = new Map(Object.entries(outputs ?? {}));
  const answer = outputs === null ? null : { outputs: tensors, nonFinite: nonFiniteOutputs(tensors) };
  return { model: MODEL, backend: { revision: REVISION, indicators }, durationMs, answer };
}

function tally(indicator: Indicator, outputs: Record<string, Tensor> | null, durationMs?: number) {
  const counts = new Counts();
  counts.add(attempt([indicator], outputs, durationMs));
  return counts.all()[0]!.indicators[indicator.kind];
}

const GOOD = { good: 1, total: 1 };
const BAD = { good: 0, total: 1 };

test('a wait that its caller ended is slow from the limit on, and says nothing of being available or valid', () => {
  const indicators: Indicator[] = [{ kind: 'fast', underMs: 50 }, { kind: 'available' }, { kind: 'valid' }];
  const backend = { revision: REVISION, indicators };
  const counts = new Counts();

  counts.addWait({ model: MODEL, backend, waitedMs: 49.9 });
  expect(counts.all()).toEqual([]);
  counts.addWait({ model: MODEL, backend, waitedMs: 50 });
  counts.add(attempt(indicators, { y: column(1) }));

  expect(counts.all()).toMatchObject([
    { attempts: 1, failures: 0, indicators: { fast: { good: 1, total: 2 }, available: GOOD, valid: GOOD } },
  ]);
});

describe('an attempt counts', () => {
  const fast: Indicator = { kind: 'fast', underMs: 50 };
  const valid: Indicator = { kind: 'valid', output: 'y', within: [0, 1] };

  test.each<[string, Indicator, Record<string, Tensor> | null, number, object]>([
    ['as fast below the limit', fast, { y: column(1) }, 49.9, GOOD],
    ['as slow at the limit', fast, { y: column(1) }, 50, BAD],
    ['as slow when it failed quickly', fast, null, 1, BAD],
    ['as fast though it answered NaN', fast, { y: column(Number.NaN) }, 1, GOOD],
    ['as available when it answered', { kind: 'available' }, { y: column(7) }, 1, GOOD],
    ['as unavailable when it failed', { kind: 'available' }, null, 1, BAD],
    [
      'as unavailable when any output is infinite',
      { kind: 'available' },
      { y: column(1), z: column(Infinity) },
      1,
      BAD,
    ],
    ['as valid at both ends of the range', valid, { y: column(0, 1) }, 1, GOOD],
    ['as invalid for one value outside', valid, { y: column(0.5, 1.01) }, 1, BAD],
    ['as invalid for NaN', valid, { y: column(Number.NaN) }, 1, BAD],
    ['as valid whatever another output holds', valid, { y: column(1), z: column(Number.NaN) }, 1, GOOD],
    ['as invalid without the named output', valid, { z: column(1) }, 1, BAD],
    ['as invalid when it failed', valid, null, 1, BAD],
    ['as valid when every output is finite', { kind: 'valid' }, { y: column(5), z: column(-5) }, 1, GOOD],
    [
      'as invalid when any output is not finite',
      { kind: 'valid' },
      { y: column(5), z: column(-Infinity) },
      1,
      BAD,
    ],
  ])('%s', (_, indicator, outputs, durationMs, expected) => {
    expect(tally(indicator, outputs, durationMs)).toEqual(expected);
  });
});

test('a NaN is bad once: for the objective that looks at the output, else for being available', () => {
  const counts = new Counts();
  const indicators: Indicator[] = [{ kind: 'available' }, { kind: 'valid', output: 'y' }];

  counts.add(attempt(indicators, { y: column(Number.NaN), z: column(1) }));
  counts.add(attempt(indicators, { y: column(1), z: column(Number.NaN) }));

  expect(counts.all()[0]?.indicators).toEqual({
    available: { good: 1, total: 2 },
    valid: { good: 1, total: 2 },
  });
});

test('counts add up, apart from what they were when they were read', () => {
  const counts = new Counts();
  counts.add(attempt([{ kind: 'available' }], { y: column(1) }));
  const early = counts.all();
  counts.add(attempt([{ kind: 'available' }], null));
  counts.add(attempt([{ kind: 'available' }], { y: column(Number.NaN) }));

  expect(early).toMatchObject([{ attempts: 1, indicators: { available: GOOD } }]);
  expect(counts.all()).toEqual([
    {
      model: MODEL,
      revision: REVISION,
      attempts: 3,
      failures: 1,
      nonFinite: 1,
      indicators: { available: { good: 1, total: 3 } },
    },
  ]);
});

test('counts of the oldest revisions make room, so that memory has a bound', () => {
  const counts = new Counts();

  for (let n = 0; n < 10_100; n++) {
    const revision = `${n.toString(16).padStart(12, '0')}-bbbbbbbb` as RevisionId;
    counts.add({ ...attempt([], null), backend: { revision, indicators: [] } });
  }

  expect(counts.all()).toHaveLength(10_000);
  expect(counts.all()[0]?.revision).toBe(`${(100).toString(16).padStart(12, '0')}-bbbbbbbb`);
});
