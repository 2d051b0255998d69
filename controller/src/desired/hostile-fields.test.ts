import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, MODEL, meet, RELEASE, SERVING, VERSION, WELL } from './hostile.fixture.ts';
import { manifestText } from './manifest.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const release = (lines: string): string => `${HEAD}kind: Release\n${lines}\n`;
const serving = (lines: string): string => `${HEAD}kind: Serving\n${lines}\n`;
const model = (lines: string): string => `${HEAD}kind: Model\n${lines}\n`;
const version = (lines: string): string => `${WELL[VERSION]}${lines}\n`;

describe('fields that could carry an attack', () => {
  test.each(['pattern', 'matches', 'regex', 'homepage', 'url', 'link', 'icon'])(
    '"%s" is no field of any kind, at any place',
    async name => {
      const { problems } = await meet({
        [MODEL]: model(`${name}: "javascript:alert(1)"`),
        [SERVING]: serving(`${name}: "(a+)+$"\nobjectives: { valid: { ${name}: "(a+)+$", target: 99% } }`),
        [RELEASE]: release(`version: "1.3.0"\n${name}: "data:text/html,x"`),
        [ENVIRONMENT]: `${WELL[ENVIRONMENT]}${name}: x\n`,
        [VERSION]: version(`${name}: x\nlineage: { source: { ${name}: x } }`),
      });

      const fields = problems.map(({ path, field, code }) => `${path} ${field} ${code}`);
      for (const path of [MODEL, SERVING, RELEASE, ENVIRONMENT, VERSION])
        expect(fields).toContain(`${path} ${name} E_MANIFEST_FIELD`);
      expect(fields).toContain(`${SERVING} objectives.valid.${name} E_MANIFEST_FIELD`);
      expect(fields).toContain(`${VERSION} lineage.source.${name} E_MANIFEST_FIELD`);
    },
  );

  test.each([
    'javascript:alert(1)',
    'data:text/html,<script>',
    'file:///etc/passwd',
    'vbscript:x',
    ' https://x',
    '//evil.example/x',
    'JaVaScRiPt://x',
  ])('the one address of a manifest is no %s', async address => {
    const { problems } = await meet({
      [VERSION]: version(`lineage: { source: { repository: ${JSON.stringify(address)} } }`),
    });

    expect(problems[0]).toMatchObject({ code: 'E_MANIFEST_FIELD', field: 'lineage.source.repository' });
  });

  test.each([
    'github.com/acme/train',
    'https://host.example/a/b.git',
    'git@host.example:a/b.git',
    'ssh://git@host.example/a',
  ])('the one address of a manifest may be %s', async address => {
    const { problems } = await meet({
      [VERSION]: version(`lineage: { source: { repository: ${JSON.stringify(address)} } }`),
    });

    expect(problems).toEqual([]);
  });

  test('markup in a text is kept as the text it is', async () => {
    const markup = '<script>alert("1")</script> [x](javascript:y) & $(rm -rf /) `id` {{ 7*7 }}';
    const freeze = manifestText('Freeze', { reason: markup });

    const { problems, state } = await meet({
      'environments/prod/freezes/x.yaml': freeze,
      [MODEL]: manifestText('Model', { description: markup }),
    });

    expect(problems).toEqual([]);
    expect(
      [...state.environments.values()].flatMap(({ freezes }) => freezes.map(({ reason }) => reason)),
    ).toEqual([markup]);
  });

  test.each(['\\e[2J', '\\x1b]0;x\\a', '\\u009b2J', '\\r', '\\b', '\\u202e', '\\u2028'])(
    'an escape for the terminal in a text is refused: %s',
    async written => {
      const { problems } = await meet({ [MODEL]: model(`description: "a${written}b"`) });

      expect(problems).toMatchObject([{ code: 'E_MANIFEST_ENCODING', line: 3, field: 'description' }]);
      expect(JSON.stringify(problems)).not.toMatch(/\\u001b|\\u009b|\u202e|\u2028/);
    },
  );

  test.each([
    [
      'the name of a metric',
      version('evaluation: [{ metric: "auc\\nSwitchback-By: mei", value: 1 }]'),
      'evaluation.0.metric',
    ],
    ['a framework', version('framework: { name: "x\\nSwitchback-By: mei" }'), 'framework.name'],
    ['a dataset', version('lineage: { datasets: [{ name: "x\\ny" }] }'), 'lineage.datasets.0.name'],
    ['a commit', version('lineage: { source: { commit: "x\\ny" } }'), 'lineage.source.commit'],
  ])('a line break has no place in %s, which ends up in messages and headers', async (_, text, field) => {
    const { problems } = await meet({ [VERSION]: text });

    expect(problems[0]).toMatchObject({
      code: 'E_MANIFEST_FIELD',
      field,
      message: expect.stringContaining('one line'),
    });
  });
});
