import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, MODEL, meet, RELEASE, SERVING, VERSION, WELL } from './hostile.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const release = (lines: string): string => `${HEAD}kind: Release\n${lines}\n`;
const serving = (lines: string): string => `${HEAD}kind: Serving\n${lines}\n`;
const model = (lines: string): string => `${HEAD}kind: Model\n${lines}\n`;
const version = (lines: string): string => `${WELL[VERSION]}${lines}\n`;

interface Hostile {
  path: string;
  content: string | Uint8Array;
  code: string;
  line?: number;
  field?: string;
  says?: RegExp;
}

const at = (
  path: string,
  content: string | Uint8Array,
  code: string,
  line?: number,
  field?: string,
  says?: RegExp,
) =>
  ({
    path,
    content,
    code,
    ...(line === undefined ? {} : { line }),
    ...(field === undefined ? {} : { field }),
    ...(says === undefined ? {} : { says }),
  }) satisfies Hostile;

const FILES: Record<string, Hostile> = {
  'an empty file': at(RELEASE, '', 'E_MANIFEST_EMPTY'),
  'nothing but comments': at(RELEASE, '# tomorrow\n\n# maybe\n', 'E_MANIFEST_EMPTY'),
  'bytes that are no UTF-8': at(RELEASE, Uint8Array.of(0x61, 0x3a, 0x20, 0xff, 0xfe), 'E_MANIFEST_ENCODING'),
  'UTF-16': at(
    RELEASE,
    Buffer.from(`\ufeff${release('version: "1.3.0"')}`, 'utf16le'),
    'E_MANIFEST_ENCODING',
  ),
  'a NUL': at(RELEASE, release('version: "1.3.0"\u0000'), 'E_MANIFEST_ENCODING', 3),
  'a bell': at(RELEASE, release('version: "1.3.0" # \u0007'), 'E_MANIFEST_ENCODING', 3),
  'nine levels of nine aliases': at(
    SERVING,
    serving(
      Array.from({ length: 9 }, (_, i) =>
        i ? `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]` : 'a0: &a0 x',
      ).join('\n'),
    ),
    'E_MANIFEST_ALIAS',
    3,
  ),
  'an anchor that holds itself': at(
    SERVING,
    serving('limits: &a { memory: *a }'),
    'E_MANIFEST_ALIAS',
    3,
    'limits',
  ),
  'one anchor that nobody uses': at(
    RELEASE,
    release('version: &v "1.3.0"'),
    'E_MANIFEST_ALIAS',
    3,
    'version',
  ),
  'a merge key': at(SERVING, serving('limits:\n  <<: { timeout: 1s }'), 'E_MANIFEST_ALIAS', 4, 'limits'),
  'twenty thousand brackets': at(SERVING, serving(`limits: ${'['.repeat(20_000)}`), 'E_MANIFEST_DEPTH', 3),
  'forty thousand keys': at(
    SERVING,
    serving(Array.from({ length: 40_000 }, (_, i) => `key${i}: 1`).join('\n')),
    'E_MANIFEST_TOO_LARGE',
  ),
  'a text of five megabytes': at(
    MODEL,
    model(`description: "${'x'.repeat(5_000_000)}"`),
    'E_MANIFEST_TOO_LARGE',
  ),
  'a key twice': at(
    RELEASE,
    release('version: "1.2.0"\nversion: "1.3.0"'),
    'E_MANIFEST_DUPLICATE_KEY',
    4,
    'version',
  ),
  'two documents': at(
    RELEASE,
    `${release('version: "1.2.0"')}---\n${release('version: "1.3.0"')}`,
    'E_MANIFEST_MANY_DOCUMENTS',
    4,
  ),
  'a field that is unknown': at(
    RELEASE,
    release('version: "1.3.0"\ndigets: "x"'),
    'E_MANIFEST_FIELD',
    4,
    'digets',
  ),
  'a whole number beyond what a double holds': at(
    VERSION,
    version('parameters: { seed: 9007199254740993 }'),
    'E_MANIFEST_FIELD',
    undefined,
    'parameters.seed',
    /can not be kept exactly/,
  ),
  'a size beyond what a double holds': at(
    VERSION,
    (WELL[VERSION] ?? '').replace('size: 1000', 'size: 92233720368547758070'),
    'E_MANIFEST_FIELD',
    undefined,
    'artifacts.model.onnx.size',
  ),
  'a function of JavaScript': at(
    RELEASE,
    release('version: !!js/function "() => 1"'),
    'E_MANIFEST_SYNTAX',
    3,
  ),
  'a tag that nobody knows': at(RELEASE, release('version: !vault "1.3.0"'), 'E_MANIFEST_SYNTAX', 3),
  'a key that names the prototype': at(SERVING, serving('__proto__: { limits: 1 }'), 'E_MANIFEST_SYNTAX', 3),
  'the same deep inside': at(
    VERSION,
    version('parameters: { "constructor": { "prototype": 1 } }'),
    'E_MANIFEST_SYNTAX',
    undefined,
    'parameters',
  ),
  'a duration of nothing': at(
    SERVING,
    serving('limits: { timeout: 0s }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
  ),
  'a duration below nothing': at(
    SERVING,
    serving('limits: { timeout: -1s }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
  ),
  'a duration that ends with the universe': at(
    SERVING,
    serving('limits: { timeout: 1e99h }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
  ),
  'a duration that is no number': at(
    SERVING,
    serving('limits: { timeout: NaN }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
  ),
  'a duration that YAML reads as no number': at(
    SERVING,
    serving('limits: { timeout: .nan }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
  ),
  'a duration without a unit': at(
    SERVING,
    serving('limits: { timeout: 200 }'),
    'E_MANIFEST_FIELD',
    3,
    'limits.timeout',
    /must be a duration/,
  ),
  'a manifest of a later time': at(
    RELEASE,
    'apiVersion: switchback/v2\nkind: Release\nversion: "1.3.0"\n',
    'E_MANIFEST_API_VERSION',
    1,
    'apiVersion',
  ),
  'an environment of a later time': at(
    ENVIRONMENT,
    'apiVersion: switchback/v2\nkind: Environment\n',
    'E_MANIFEST_API_VERSION',
    1,
    'apiVersion',
  ),
  'settings of a later time': at(
    SERVING,
    'apiVersion: switchback/v2\nkind: Serving\n',
    'E_MANIFEST_API_VERSION',
    1,
    'apiVersion',
  ),
  'a version of a later time': at(
    VERSION,
    'apiVersion: switchback/v2\nkind: ModelVersion\n',
    'E_MANIFEST_API_VERSION',
    1,
    'apiVersion',
  ),
  'a list where fields should be': at(RELEASE, '- version: "1.3.0"\n', 'E_MANIFEST_FIELD', 1),
};

describe('this, committed by somebody, is told with its place, and everything goes on being served', () => {
  test.each(Object.entries(FILES))('%s', async (_, { path, content, code, line, field, says }) => {
    const { problems, served } = await meet({ [path]: content });

    const problem = problems.find(found => found.code === code && found.path === path);
    expect(problem).toMatchObject({ severity: 'error', message: expect.stringContaining(path) });
    expect(problem?.remedy).toMatch(/[.?]$/);
    if (line !== undefined) expect(problem?.line).toBe(line);
    if (field !== undefined) expect(problem?.field).toBe(field);
    if (says) expect(problem?.message).toMatch(says);
    expect(served.after).toEqual(served.before);
  });

  test('a byte-order mark and line ends of another system are no harm', async () => {
    const text = `\ufeff${release('version: "1.3.0"').replaceAll('\n', '\r\n')}`;

    const { problems, served } = await meet({ [RELEASE]: text });

    expect(problems).toEqual([]);
    expect(served.after).not.toEqual(served.before);
  });
});
