import { describe, expect, test } from 'vitest';
import type { Results } from '../results.ts';
import { someResults } from './results.fixture.ts';
import { targetGrid, targetsOf } from './targets.ts';

const of = (results: Results, what: string) =>
  targetsOf(results).find(target => target.what.startsWith(what));

const NOTHING: Results = {
  ...someResults(),
  tables: [],
  raw: [],
  swap: null,
  kill: null,
  push: null,
};

describe('targets', () => {
  test('are met, or missed by so much, in the unit of each', () => {
    expect(targetsOf(someResults()).map(({ measured, verdict }) => [measured, verdict])).toEqual([
      ['0.80', 'met'],
      ['40', 'met'],
      [null, 'not measured'],
      ['1.00 ms', 'met'],
      ['0.96', 'met'],
      ['0 in 100', 'met'],
      ['5.0 %', 'met'],
      ['3 in 20', 'missed by 3'],
      ['50.0 %', 'missed by 40.0 %'],
      ['1,200 ms', 'missed by 200 ms'],
    ]);
  });

  test('stand there all the same when nothing was measured', () => {
    const targets = targetsOf(NOTHING);

    expect(targets).toHaveLength(9);
    expect(targets.map(({ reach }) => reach)).toEqual([
      '≥ 0.8 ×',
      '≥ 10 ×',
      '< 5 ms',
      '≥ 0.95 ×',
      '0 in 100',
      '< 10 %',
      '0 in 20',
      '< 10 %',
      '< 1,000 ms',
    ]);
    expect(new Set(targets.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
  });

  test('name a peer that could not be had', () => {
    expect(of(someResults(), 'one row in JSON ÷ bentoml')).toMatchObject({ verdict: 'not measured' });
  });

  test('that are only just missed are not missed by nothing', () => {
    const [raw] = someResults().raw;

    expect(of({ ...NOTHING, raw: [{ ...raw!, ratio: 0.949 }] }, 'rows of the heaviest')).toMatchObject({
      verdict: 'missed by 0.001',
    });
  });

  test('at the very limit: what has to be reached is, what has to be stayed below is not', () => {
    const [raw] = someResults().raw;
    const { push } = someResults();
    const trails = push!.trails.map(trail => ({ ...trail, answeredMs: 1000 }));

    expect(of({ ...NOTHING, raw: [{ ...raw!, ratio: 0.95 }] }, 'rows of the heaviest')?.verdict).toBe('met');
    expect(of({ ...NOTHING, push: { ...push!, trails } }, 'from nudge')?.verdict).toMatch(/^missed/);
  });

  test('say how much less often it was done than is asked for', () => {
    const { swap } = someResults();

    expect(of({ ...NOTHING, swap: { ...swap!, times: 30 } }, 'versions swapped, failed')).toMatchObject({
      measured: '0 in 30',
      verdict: 'met, in 30 of 100',
    });
  });

  test('a p99 that fell is no miss', () => {
    const { kill } = someResults();

    expect(of({ ...NOTHING, kill: { ...kill!, p99Ratio: 0.7 } }, 'engines killed, change')).toMatchObject({
      measured: '-30.0 %',
      verdict: 'met',
    });
  });

  test('are a table with a dash where nothing was measured', () => {
    const grid = targetGrid(targetsOf(NOTHING));

    expect(grid[1]).toEqual(['one row in JSON ÷ bare Fastify', '≥ 0.8 ×', '–', 'not measured']);
  });
});
