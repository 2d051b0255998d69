import { describe, expect, it } from 'vitest';
import { isNear, makeGolden } from './golden.ts';

const INPUTS = { x: { datatype: 'FP32' as const, shape: [2, 1], data: [1, 2] } };
const answer = (data: (number | null)[]) => ({ datatype: 'FP32' as const, shape: [2, 1], data });
const samples = (data: number[]) => ({
  rows: 2,
  inputs: INPUTS,
  answers: { score: { ...answer(data), data } },
});
const none = { rows: 2, inputs: INPUTS, answers: {} };

describe('golden answers', () => {
  it("keeps the framework's answers where the graph agrees within the tolerance", () => {
    const golden = makeGolden(samples([0.5, 100]), { score: answer([0.500009, 100.0009]) }, 1e-5);

    expect(golden.answers).toBe('framework');
    expect(golden.outputs['score']?.data).toEqual([0.5, 100]);
  });

  it('refuses a graph that answers otherwise, naming the row, both values and how many differ', () => {
    const make = () => makeGolden(samples([0.5, 0.25]), { score: answer([0.5, 0.26]) }, 1e-5);

    expect(make).toThrow(
      /row 1 \(counted from 0\): score is 0.26, the framework says 0.25 \(tolerance 0.00001\); 1 of 2 rows differ/,
    );
  });

  it('refuses a graph that answers with a NaN where the framework has a number', () => {
    expect(() => makeGolden(samples([0.5, 0.25]), { score: answer([0.5, null]) }, 1e-5)).toThrow(
      /row 1 .*: score is not finite/,
    );
  });

  it('lets halves be neighbours: each of the two is rounded', () => {
    const half = (data: number[]) => ({ score: { datatype: 'FP16' as const, shape: [2, 1], data } });
    const make = (second: number) =>
      makeGolden({ ...none, answers: half([0.5, 0.25]) }, half([0.5, second]), 1e-5);

    expect(make(0.2502).answers).toBe('framework');
    expect(() => make(0.252)).toThrow(/score is 0.252, .* \(tolerance 0.001\)/);
  });

  it("records the graph's own answers, and says so, where the framework's are not known", () => {
    const golden = makeGolden(none, { score: answer([0.5, 0.25]) }, 1e-5);

    expect(golden).toMatchObject({ answers: 'graph', outputs: { score: { data: [0.5, 0.25] } } });
  });

  it('refuses to record an answer that is not finite', () => {
    expect(() => makeGolden(none, { score: answer([null, 1]) }, 1e-5)).toThrow(
      /answers row 0 \(counted from 0\) with a "score"/,
    );
  });

  it('measures relative to large values and absolutely near zero', () => {
    expect(isNear(1000.009, 1000, 1e-5)).toBe(true);
    expect(isNear(1000.011, 1000, 1e-5)).toBe(false);
    expect(isNear(0.000009, 0, 1e-5)).toBe(true);
    expect(isNear('a', 'a', 1e-5)).toBe(true);
    expect(isNear(undefined, 0, 1)).toBe(false);
    expect(isNear(Number.NaN, 0, 1)).toBe(false);
  });
});
