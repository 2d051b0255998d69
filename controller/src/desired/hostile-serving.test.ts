import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, meet, SERVING } from './hostile.fixture.ts';
import { environmentFile } from './manifest.fixture.ts';

const serving = (lines: string): string => `apiVersion: switchback/v1alpha1\nkind: Serving\n${lines}\n`;
const canary = (lines: string): string =>
  `rollout:\n  canary: { steps: [{ weight: 5, for: 1m, requests: 1 }], ${lines} }`;

describe('a setting of serving', () => {
  test.each<[string, string, string, RegExp]>([
    ['no queue at all', 'limits: { queue: 0 }', 'limits.queue', /expected number to be >=1/],
    ['a queue without end', 'limits: { queue: 1000001 }', 'limits.queue', /<=1000000/],
    ['half a row', 'limits: { queue: 1.5 }', 'limits.queue', /expected int/],
    ['no engine', 'engines: 0', 'engines', />=1/],
    ['more engines than any machine', 'engines: 65', 'engines', /<=64/],
    ['engines in words', 'engines: two', 'engines', /expected number/],
    ['a wait of a second and more', 'batching: { wait: 1001ms }', 'batching.wait', /must be at most 1s/],
    [
      'a wait of a number',
      'batching: { wait: 0 }',
      'batching.wait',
      /a duration such as "1s", or "0s" for none/,
    ],
    ['a wait back in time', 'batching: { wait: -1ms }', 'batching.wait', /a duration such as "1s"/],
    ['a cache for how long nobody knows', 'cache: { size: 1Mi }', 'cache.for', /is missing/],
    ['a cache for years', 'cache: { for: 31d }', 'cache.for', /must be at most 30d/],
    ['a cache of nothing', 'cache: { for: 1s, size: 0Mi }', 'cache.size', /must be a size/],
    ['a cache of everything', 'cache: { for: 1s, size: 65Gi }', 'cache.size', /must be at most 64Gi/],
    ['a cache by a word', 'cache: on', 'cache', /expected object/],
    [
      'a header that is none',
      canary('stickyBy: { header: "x card" }'),
      'rollout.canary.stickyBy.header',
      /must be the name of an HTTP header/,
    ],
    [
      'a header that is two lines',
      canary('stickyBy: { header: "x\\nset-cookie" }'),
      'rollout.canary.stickyBy.header',
      /must be the name of an HTTP header/,
    ],
    ['a header without a name', canary('stickyBy: {}'), 'rollout.canary.stickyBy.header', /is missing/],
    [
      'a value that is no text',
      canary('match: [{ header: x-tester, is: 1 }]'),
      'rollout.canary.match.0.is',
      /expected string/,
    ],
    [
      'an empty value',
      canary('match: [{ header: x-tester, is: "" }]'),
      'rollout.canary.match.0.is',
      /1 to 200 printable characters/,
    ],
    [
      'a value that no request can send',
      canary('match: [{ header: x-tester, is: " yes" }]'),
      'rollout.canary.match.0.is',
      /no blank at either end/,
    ],
    [
      'a value of three hundred letters',
      canary(`match: [{ header: x-tester, is: ${'a'.repeat(300)} }]`),
      'rollout.canary.match.0.is',
      /1 to 200 printable characters/,
    ],
    [
      'credentials to compare with',
      canary('match: [{ header: Authorization, is: me }]'),
      'rollout.canary.match.0.header',
      /must not be a header that carries credentials: git would keep them/,
    ],
    [
      'one match, not in a list',
      canary('match: { header: x-tester, is: "yes" }'),
      'rollout.canary.match',
      /expected array/,
    ],
    [
      'twenty-one matches',
      canary(`match: [${Array.from({ length: 21 }, () => '{ header: a, is: b }').join(', ')}]`),
      'rollout.canary.match',
      /<=20/,
    ],
    ['a shadow of a number', canary('shadow: 10'), 'rollout.canary.shadow', /a percentage such as "99.9%"/],
    ['a shadow of more than all', canary('shadow: 101%'), 'rollout.canary.shadow', /a percentage/],
    [
      'a fallback that is no list',
      'fallback: { outputs: { score: 0.5 } }',
      'fallback.outputs.score',
      /expected array/,
    ],
    [
      'a fallback of lists',
      'fallback: { outputs: { score: [[0.5]] } }',
      'fallback.outputs.score.0',
      /must be a number or a text/,
    ],
    [
      'a fallback without end',
      'fallback: { outputs: { score: [.inf] } }',
      'fallback.outputs.score.0',
      /is a number that can not be kept exactly/,
    ],
  ])('of %s is refused with line and field, and what runs is kept', async (_, lines, field, says) => {
    const { problems, served } = await meet({ [SERVING]: serving(lines) });

    expect(problems[0]).toMatchObject({ code: 'E_MANIFEST_FIELD', severity: 'error', path: SERVING, field });
    expect(problems[0]?.line).toBe(3 + lines.split('\n').length - 1);
    expect(problems[0]?.message).toMatch(says);
    expect(served.after).toEqual(served.before);
  });

  test('at its bounds is taken', async () => {
    const lines = [
      'limits: { queue: 1000000 }',
      'engines: 64',
      'batching: { wait: 99ms }',
      'cache: { for: 30d, size: 64Gi }',
      canary(`stickyBy: { header: X-Card-Id }, shadow: 100%, match: [{ header: x, is: ${'a'.repeat(200)} }]`),
      'fallback: { outputs: { score: [0.5] } }',
    ];

    expect((await meet({ [SERVING]: serving(lines.join('\n')) })).problems).toEqual([]);
  });

  test.each<[string, string, string, RegExp]>([
    [
      'a queue that no batch fits into',
      'limits: { queue: 8 }',
      'limits.queue',
      /8 rows never make a batch of limits.maxBatch \(64\)/,
    ],
    [
      'a wait that outlasts the answer',
      'batching: { wait: 200ms }\nlimits: { timeout: 200ms }',
      'batching.wait',
      /late by limits.timeout \(200ms\)/,
    ],
    [
      'a wait that breaks the promise',
      'batching: { wait: 50ms }\nobjectives: { fast: { under: 50ms, target: 99% } }',
      'batching.wait',
      /late by objectives.fast.under \(50ms\)/,
    ],
    [
      'a header to be sticky by where nothing is shared',
      'rollout: { canary: { stickyBy: { header: a } } }',
      'rollout.canary.stickyBy',
      /does nothing: without steps/,
    ],
    [
      'a shadow where nothing is tried',
      'rollout: { canary: { shadow: 5% } }',
      'rollout.canary.shadow',
      /does nothing: without steps/,
    ],
  ])('of %s is warned of', async (_, lines, field, says) => {
    const { problems } = await meet({ [SERVING]: serving(lines) });

    expect(problems[0]).toMatchObject({
      code: 'W_SETTINGS',
      severity: 'warning',
      path: SERVING,
      line: 3,
      field,
    });
    expect(problems[0]?.message).toMatch(says);
  });
});

describe('an answer to fall back on', () => {
  test.each<[string, string, string, string, RegExp]>([
    [
      'with an output of another name',
      'scor: [0.5], score: [0.5]',
      'E_REFERENCE',
      'fallback.outputs.scor',
      /^Did you mean "score"\?$/,
    ],
    [
      'that leaves an output out',
      'other: [0.5]',
      'E_SETTINGS',
      'fallback.outputs',
      /^Add score, or remove the fallback/,
    ],
    [
      'of two rows',
      'score: [0.5, 0.5]',
      'E_SETTINGS',
      'fallback.outputs.score',
      /^Say one row: 1 of FP32\.$/,
    ],
    [
      'of a text where a number is',
      'score: ["0.5"]',
      'E_SETTINGS',
      'fallback.outputs.score',
      /^Write a number from/,
    ],
  ])('%s is no answer of the version, so nothing is rolled out', async (_, outputs, code, field, remedy) => {
    const { problems, served } = await meet({ [SERVING]: serving(`fallback:\n  outputs: { ${outputs} }`) });

    const found = problems.find(problem => problem.code === code && problem.field === field);
    expect(found).toMatchObject({ severity: 'error', path: SERVING, line: 4 });
    expect(found?.remedy).toMatch(remedy);
    expect(found?.message).toContain('(fraud)');
    expect(served.after).toEqual(served.before);
  });

  test('of an environment for all its models is told there, of each that it does not fit', async () => {
    const text = environmentFile('prod', {
      promotesFrom: 'staging',
      defaults: { fallback: { outputs: { label: [1] } } },
    });

    const { problems, served } = await meet(text);

    expect(problems.filter(({ code }) => code === 'E_REFERENCE')).toMatchObject([
      {
        path: ENVIRONMENT,
        field: 'defaults.fallback.outputs.label',
        message: expect.stringContaining('(fraud)'),
      },
      {
        path: ENVIRONMENT,
        field: 'defaults.fallback.outputs.label',
        message: expect.stringContaining('(triage)'),
      },
    ]);
    expect(served.after).toEqual(served.before);
  });
});
