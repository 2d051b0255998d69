import { describe, expect, test } from 'vitest';
import { whyBad } from './fuzz.ts';
import { keptInputs } from './kept.ts';
import { planted } from './planted.fixture.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';
import { type Watched, watch } from './watch.ts';

const SEED = 20_261_123;
/** A sample; `npm run fuzz` goes on for as long as one likes. */
const SAMPLE_INPUTS = 500;
const ENOUGH_FOR_PLANTED = 40_000;

describe('the fuzzer', () => {
  test('finds what only an input can reach that ran something new three times over', async () => {
    const { findings, progress } = await run('planted', ENOUGH_FOR_PLANTED);

    expect(findings.map(({ reason }) => reason.split('\n')[0])).toEqual(['Error: all three letters']);
    expect(progress?.corpus).toBeGreaterThanOrEqual(3);
  });

  test.each<[string, Target['read'], string]>([
    ['an error without a code', () => Promise.reject(new TypeError('oops')), 'TypeError: oops'],
    [
      'an error that a terminal would obey',
      () => Promise.reject(Object.assign(new Error('bad \u001b[31m'), { code: 'E_INPUT' })),
      'an error with control characters',
    ],
    [
      'an error of ours that is none of the input',
      () => Promise.reject(Object.assign(new Error('a bug'), { code: 'E_INTERNAL' })),
      'Error: a bug',
    ],
    [
      'a change of the prototype of every object',
      () => void Object.assign(Object.prototype, { isAdmin: true }),
      'Object.prototype has got isAdmin',
    ],
  ])('tells %s', async (_, read, words) => {
    try {
      expect(await whyBad({ ...planted, read }, Buffer.from('x'))).toContain(words);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'isAdmin');
    }
  });
});

describe.each(Object.keys(targets))('%s', name => {
  test('takes what once was a finding, and whatever else it is given', async () => {
    const { findings, progress } = await run(name, SAMPLE_INPUTS);

    expect(findings.map(({ reason, input }) => `${reason} of ${input.toString('base64')}`)).toEqual([]);
    expect(progress?.inputs).toBeGreaterThanOrEqual(SAMPLE_INPUTS);
  });
});

/** In a thread of its own, as the command does it. */
function run(name: string, inputs: number): Promise<Watched> {
  return watch({ name, seed: SEED, forMs: 60_000, inputs, kept: keptInputs(name) });
}
