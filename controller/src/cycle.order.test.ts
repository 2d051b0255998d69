import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const source = readFileSync(new URL('./cycle.ts', import.meta.url), 'utf8');

/** Each stage of the picture by the call that stands for it, in the picture's order. */
const stages = {
  commit: 'world.repository.latest(',
  desired: 'world.desired(',
  rollout: 'rollout(',
  plan: 'plan(',
  actuation: 'world.actuation.apply(',
  observation: 'world.observation.latest()',
  verdict: 'judgeDeployments(',
  proposal: 'propose(',
  operation: 'accept(',
  settled: 'settle(',
};

test('the cycle calls each stage once, in the order of the picture, on one screen', () => {
  const body = source.slice(source.indexOf('export async function cycle'));
  const calls = Object.values(stages).map(call => {
    const pattern = new RegExp(`(?<![\\w.])${call.replace(/[.()]/g, '\\$&')}`, 'g');
    return [...body.matchAll(pattern)].map(({ index }) => index);
  });

  expect(calls.map(places => places.length)).toEqual(calls.map(() => 1));
  expect(calls.flat()).toEqual(calls.flat().toSorted((a, b) => a - b));
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
});
