import { describe, expect, test } from 'vitest';
import { type CpuProfile, intervalUs, readProfile, stacksOf } from './cpu-profile.ts';

const frame = (functionName: string, url = '') => ({ functionName, url });

/** main → infer → parse, and idle. */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5] },
    { id: 2, callFrame: frame('main', 'file:///main.ts'), children: [3] },
    { id: 3, callFrame: frame('infer', 'file:///infer.ts'), children: [4] },
    { id: 4, callFrame: frame('parse') },
    { id: 5, callFrame: frame('(idle)') },
  ],
  samples: [5, 4, 3, 4, 5],
  timeDeltas: [100, 100, 100, 5000, 110],
};

describe('stacksOf', () => {
  test('gives each stack from the function that ran outwards, once', () => {
    const stacks = stacksOf(PROFILE);

    const names = stacks.map(({ frames }) => frames.map(({ functionName }) => functionName));
    expect(names).toEqual([
      ['(idle)', '(root)'],
      ['parse', 'infer', 'main', '(root)'],
      ['infer', 'main', '(root)'],
    ]);
  });

  test('tells a sample that came late, as after a time without a processor, from those on time', () => {
    const [idle, parse, infer] = stacksOf(PROFILE);

    expect(idle).toMatchObject({ samples: 2, onTime: 2 });
    expect(parse).toMatchObject({ samples: 2, onTime: 1 });
    expect(infer).toMatchObject({ samples: 1, onTime: 1 });
  });

  test('comes to an end also where a node calls itself', () => {
    const nodes = [{ id: 1, callFrame: frame('eternal'), children: [1] }];

    const [stack] = stacksOf({ nodes, samples: [1], timeDeltas: [100] });

    expect(stack?.samples).toBe(1);
    expect(stack?.frames.length).toBeLessThan(10);
  });

  test('is nothing of a profile without samples', () => {
    expect(stacksOf({ ...PROFILE, samples: [], timeDeltas: [] })).toEqual([]);
  });
});

test('the interval is the middle one, whatever stood still meanwhile', () => {
  expect(intervalUs(PROFILE)).toBe(100);
  expect(intervalUs({ ...PROFILE, timeDeltas: [] })).toBe(0);
});

describe('readProfile', () => {
  test('takes what V8 gives, with all that stands beside it', () => {
    const given = JSON.parse(JSON.stringify({ ...PROFILE, startTime: 1, endTime: 2 })) as unknown;

    expect(readProfile(given)).toEqual(PROFILE);
  });

  test.each([
    ['nothing', undefined],
    ['an error', 'Error: No recording profiles found'],
    ['samples without times', { ...PROFILE, timeDeltas: undefined }],
    ['more samples than times', { ...PROFILE, timeDeltas: [100] }],
    ['a node without a frame', { ...PROFILE, nodes: [{ id: 1 }] }],
  ])('refuses %s', (_, value) => {
    expect(() => readProfile(value)).toThrow('V8 gave no profile');
  });
});
