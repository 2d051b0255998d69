import { describe, expect, test } from 'vitest';
import { meet, RELEASE, VERSION, WELL } from './hostile.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const release = (lines: string): string => `${HEAD}kind: Release\n${lines}\n`;

const UNQUOTED = [
  '1.10',
  '0123',
  '1e10',
  '0x1F',
  '0o17',
  '.5',
  '1.',
  '+1',
  '1',
  'true',
  '.inf',
  '~',
  '12345678901234567890',
];

describe('a version that is not quoted', () => {
  test.each(UNQUOTED)('as %s is told to be quoted, as it is written', async text => {
    const { problems, served } = await meet({ [RELEASE]: release(`version: ${text}`) });

    expect(problems).toMatchObject([{ code: 'E_MANIFEST_FIELD', path: RELEASE, line: 3, field: 'version' }]);
    expect(problems[0]?.remedy).toMatch(/^Quote it/);
    expect(served.after).toEqual(served.before);
  });

  test.each([
    ['only digits', '1'.repeat(64)],
    ['digits and an e', `${'1'.repeat(30)}e${'1'.repeat(33)}`],
  ])('nor a digest of %s', async (_, digest) => {
    const text = (WELL[VERSION] ?? '').replace(/sha256: "?[0-9a-f]{64}"?/, `sha256: ${digest}`);

    const { problems } = await meet({ [VERSION]: text });

    expect(problems[0]).toMatchObject({
      code: 'E_MANIFEST_FIELD',
      field: 'artifacts.model.onnx.sha256',
      remedy: expect.stringMatching(/^Quote it/),
    });
  });

  test('is well if YAML reads a text anyhow', async () => {
    const { problems } = await meet({ [RELEASE]: release('version: 1.3.0') });

    expect(problems).toEqual([]);
  });
});
