import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, meet, SERVING } from './hostile.fixture.ts';
import { environmentFile } from './manifest.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const serving = (lines: string): string => `${HEAD}kind: Serving\n${lines}\n`;

describe('weights of steps', () => {
  const step = (weight: string) => `{ weight: ${weight}, for: 1m, requests: 1 }`;
  test.each([
    ['below nothing', [step('-5')]],
    ['of nothing', [step('0')]],
    ['of more than everything', [step('101')]],
    ['that are no number', [step('.nan')]],
    ['that are a text', [step('"5"')]],
    ['that fall', [step('50'), step('5')]],
    ['that stay', [step('50'), step('50')]],
    ['of twenty-one steps', Array.from({ length: 21 }, (_, i) => step(String(i + 1)))],
  ])('%s are refused', async (_, steps) => {
    const text = serving(`rollout:\n  canary:\n    steps: [${steps.join(', ')}]`);

    const { problems, served } = await meet({ [SERVING]: text });

    expect(problems[0]).toMatchObject({ code: 'E_MANIFEST_FIELD', path: SERVING, line: 5 });
    expect(problems[0]?.field).toMatch(/^rollout\.canary\.steps/);
    expect(served.after).toEqual(served.before);
  });
});

describe('an objective', () => {
  test.each([
    ['that nothing can keep', 'fast: { under: 50ms, target: 100% }'],
    ['that everything keeps', 'available: { target: 0% }'],
    ['of more than everything', 'available: { target: 120% }'],
    ['below nothing', 'available: { target: -1% }'],
    ['whose range is empty', 'valid: { within: [1, 0], target: 99% }'],
    ['whose range is a point', 'valid: { within: [1, 1], target: 99% }'],
    ['whose range has no end', 'valid: { within: [0, .inf], target: 99% }'],
  ])('%s is refused', async (_, objective) => {
    const { problems, served } = await meet({ [SERVING]: serving(`objectives:\n  ${objective}`) });

    expect(problems[0]).toMatchObject({
      code: 'E_MANIFEST_FIELD',
      path: SERVING,
      line: 4,
      severity: 'error',
    });
    expect(served.after).toEqual(served.before);
  });

  test('about an output that is not there would be breached by every answer, so nothing is rolled out', async () => {
    const { problems, served } = await meet({
      [SERVING]: serving('objectives:\n  valid: { output: scor, target: 99%, breach: rollback }'),
    });

    expect(problems[0]).toMatchObject({
      code: 'E_REFERENCE',
      severity: 'error',
      path: SERVING,
      line: 4,
      field: 'objectives.valid.output',
      remedy: 'Did you mean "score"?',
    });
    expect(served.after).toEqual(served.before);
  });

  test.each([
    [
      'that no answer is slow enough to breach',
      'objectives:\n  fast: { under: 2s, target: 99% }',
      'objectives.fast.under',
    ],
    [
      'that no answer is fast enough to keep',
      'objectives:\n  fast: { under: 0.001ms, target: 99% }',
      'objectives.fast.under',
    ],
    [
      'of a canary that is undecided before it is over',
      'rollout:\n  canary: { steps: [{ weight: 5, for: 3d, requests: 1 }] }',
      'rollout.canary',
    ],
  ])('%s is warned of, with the file that says it', async (_, lines, field) => {
    const { problems } = await meet({ [SERVING]: serving(lines) });

    expect(problems[0]).toMatchObject({
      code: 'W_SETTINGS',
      severity: 'warning',
      path: SERVING,
      line: 4,
      field,
    });
  });

  test('of the defaults of an environment is warned of once, there', async () => {
    const text = environmentFile('prod', {
      promotesFrom: 'staging',
      defaults: { objectives: { fast: { under: '2s', target: '99%' } } },
    });

    const { problems } = await meet({ ...text, [SERVING]: null });

    expect(problems).toMatchObject([
      {
        code: 'W_SETTINGS',
        path: ENVIRONMENT,
        field: 'defaults.objectives.fast.under',
        line: expect.any(Number),
      },
    ]);
  });
});
