import type { ErrorCode } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from './document.ts';

const SURROUNDED = (line: string): string => `apiVersion: x\n${line}\nversion: "1"\n`;

const REFUSED: Record<string, [text: string, code: ErrorCode, line?: number]> = {
  'an empty file': ['', 'E_MANIFEST_EMPTY'],
  'nothing but comments': ['# later\n', 'E_MANIFEST_EMPTY'],
  'more bytes than 64 KiB': [`a: "${'x'.repeat(64 * 1024)}"\n`, 'E_MANIFEST_TOO_LARGE'],
  'few characters of many bytes': [`a: "${'€'.repeat(30_000)}"\n`, 'E_MANIFEST_TOO_LARGE'],
  'a control character': ['x: 1\na: "\u0007"\n', 'E_MANIFEST_ENCODING', 2],
  'a NUL': ['a: b\u0000\n', 'E_MANIFEST_ENCODING', 1],
  'a delete character': ['a: b\u007f\n', 'E_MANIFEST_ENCODING', 1],
  'a control character of eight bits': ['a: b\u009b2J\n', 'E_MANIFEST_ENCODING', 1],
  'a comment that turns the direction of text': ['a: 1\n# \u202e}{\n', 'E_MANIFEST_ENCODING', 2],
  'a control character in an escape': ['a:\n  b: "\\e[2J"\n', 'E_MANIFEST_ENCODING', 2],
  'a carriage return in an escape': ['a: "b\\rc"\n', 'E_MANIFEST_ENCODING', 1],
  'a line break in a key': ['"a\\nb": 1\n', 'E_MANIFEST_ENCODING', 1],
  'nothing but null': ['~\n', 'E_MANIFEST_EMPTY'],
  'a whole number that is not kept exactly': [SURROUNDED('a: 9007199254740993'), 'E_MANIFEST_FIELD', 2],
  'the same in hexadecimal': [SURROUNDED('a: [0x20000000000001]'), 'E_MANIFEST_FIELD', 2],
  'a number that is too large for any': [SURROUNDED('a: 1e400'), 'E_MANIFEST_FIELD', 2],
  'no number at all': [SURROUNDED('a: .nan'), 'E_MANIFEST_FIELD', 2],
  'two documents': ['a: 1\n---\na: 2\n', 'E_MANIFEST_MANY_DOCUMENTS', 2],
  'an alias of nothing': [SURROUNDED('a: *b'), 'E_MANIFEST_ALIAS', 2],
  'an alias of an anchor': ['a: &b 1\nc: *b\n', 'E_MANIFEST_ALIAS', 1],
  'an anchor alone': [SURROUNDED('a: &b 1'), 'E_MANIFEST_ALIAS', 2],
  'the same key twice': [SURROUNDED('apiVersion: y'), 'E_MANIFEST_DUPLICATE_KEY', 2],
  'the same key twice, once in quotes': ['a: 1\n"a": 2\n', 'E_MANIFEST_DUPLICATE_KEY', 2],
  'a merge key': [SURROUNDED('<<: { a: 1 }'), 'E_MANIFEST_ALIAS', 2],
  'a merge key in quotes': [SURROUNDED('"<<": { a: 1 }'), 'E_MANIFEST_ALIAS', 2],
  'a __proto__ key': [SURROUNDED('__proto__: { admin: true }'), 'E_MANIFEST_SYNTAX', 2],
  'a __proto__ key deep inside': [SURROUNDED('a: [{ b: { __proto__: 1 } }]'), 'E_MANIFEST_SYNTAX', 2],
  'a constructor key': [SURROUNDED('constructor: 1'), 'E_MANIFEST_SYNTAX', 2],
  'a number as a key': [SURROUNDED('1: a'), 'E_MANIFEST_SYNTAX', 2],
  'a list as a key': [SURROUNDED('? [a]\n: b'), 'E_MANIFEST_SYNTAX', 2],
  'a tag of a language': [SURROUNDED('a: !!js/function "x"'), 'E_MANIFEST_SYNTAX', 2],
  'a tag of its own': [SURROUNDED('a: !secret x'), 'E_MANIFEST_SYNTAX', 2],
  'a binary': [SURROUNDED('a: !!binary aGVsbG8='), 'E_MANIFEST_SYNTAX', 2],
  'a set': [SURROUNDED('a: !!set { b }'), 'E_MANIFEST_SYNTAX', 2],
  'an unknown directive': ['%FOO bar\n---\na: 1\n', 'E_MANIFEST_SYNTAX', 1],
  'a tab as indentation': ['a:\n\tb: 1\n', 'E_MANIFEST_SYNTAX'],
  'an unclosed quote': ['a: "b\n', 'E_MANIFEST_SYNTAX'],
};

describe('parseDocument refuses', () => {
  test.each(Object.entries(REFUSED))('%s', (_, [text, code, line]) => {
    const parsed = parseDocument(text);

    expect(parsed).toMatchObject({ flaw: { code } });
    const flaw = 'flaw' in parsed ? parsed.flaw : null;
    if (line !== undefined) expect(flaw?.line).toBe(line);
    expect(flaw?.message).toMatch(/\w/);
    expect(flaw?.remedy).toMatch(/\.$/);
  });

  test.each([
    ['brackets', '['.repeat(20_000)],
    ['braces', '{a: '.repeat(10_000)],
    ['closed brackets', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['wide dashes', '-  '.repeat(20_000)],
    ['question marks', '? '.repeat(20_000)],
    ['dashes and question marks', '- ? '.repeat(10_000)],
    ['indented keys', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['indented dashes', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}-`).join('\n')],
  ])('nesting by %s, without overflowing the stack', (_, text) => {
    expect(parseDocument(text)).toMatchObject({ flaw: { code: 'E_MANIFEST_DEPTH' } });
  });

  test.each<[string, string, ErrorCode]>([
    [
      'forty thousand keys',
      Array.from({ length: 40_000 }, (_, index) => `key${index}: 1\n`).join(''),
      'E_MANIFEST_TOO_LARGE',
    ],
    ['a text of five megabytes', `a: "${'x'.repeat(5_000_000)}"\n`, 'E_MANIFEST_TOO_LARGE'],
    ['twenty thousand brackets', `a: ${'['.repeat(20_000)}`, 'E_MANIFEST_DEPTH'],
    ['twenty thousand dashes', '- '.repeat(20_000), 'E_MANIFEST_DEPTH'],
    ['a token', `a: ghp_${'a1'.repeat(18)}\n`, 'E_MANIFEST_SECRET'],
    ['a bell', 'a: "\u0007"\n', 'E_MANIFEST_ENCODING'],
  ])('%s before a parser sees them', (_, text, code) => {
    const parsed = parseDocument(text, () => {
      throw new Error('this must not be parsed');
    });

    expect(parsed).toMatchObject({ flaw: { code } });
  });

  test('a tab as indentation, with what to write instead', () => {
    expect(parseDocument('a:\n\tb: 1\n')).toMatchObject({
      flaw: { line: 2, remedy: expect.stringContaining('by spaces') },
    });
  });

  test('twenty thousand keys within each other in one line, and words of the parser without end', () => {
    const nested = parseDocument('a: '.repeat(20_000));
    expect(nested).toMatchObject({ flaw: { code: expect.stringMatching(/^E_MANIFEST_(DEPTH|SYNTAX)$/) } });
    const endless = parseDocument(`{| ${'73'.repeat(10_000)}`);
    expect(endless).toMatchObject({ flaw: { code: 'E_MANIFEST_SYNTAX' } });
    expect(JSON.stringify(endless).length).toBeLessThan(1000);
  });

  test('an alias that would be 387 million values, without making one', () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0 ? 'a0: &a0 [x, x, x]' : `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
    );

    expect(parseDocument(levels.join('\n'))).toMatchObject({ flaw: { code: 'E_MANIFEST_ALIAS', line: 1 } });
  });

  test('an anchor that holds itself', () => {
    expect(parseDocument('a: &a [*a]\n')).toMatchObject({ flaw: { code: 'E_MANIFEST_ALIAS', line: 1 } });
  });

  test('keys that name the prototype, of which no object has anything afterwards', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '"__proto__"', "'constructor'"]) {
      const before = Object.getOwnPropertyNames(Object.prototype);

      const parsed = parseDocument(`a: 1\n${key}: { isAdmin: true, toString: 1 }\n`);

      expect(parsed).toMatchObject({ flaw: { code: 'E_MANIFEST_SYNTAX', line: 2 } });
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
      expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
    }
  });
});

describe('parseDocument tolerates', () => {
  test.each([
    ['a byte order mark', '\ufeffversion: "1.10"\n'],
    ['line ends of another system', 'version: "1.10"\r\n'],
    ['a document end', '---\nversion: "1.10"\n...\n'],
    ['comments', '# why\nversion: "1.10" # this one\n'],
    ['a tag that says what is meant', 'version: !!str 1.10\n'],
    ['a mark and line ends of another system at once', '\ufeff# why\r\nversion: "1.10"\r\n'],
  ])('%s', (_, text) => {
    const parsed = parseDocument(text);

    expect(parsed).toMatchObject({ document: { value: { version: '1.10' } } });
  });

  test.each([
    ['folded', 'a: >-\r\n  one\r\n  two\r\n', 'one two'],
    ['kept', 'a: |-\r\n  one\r\n  two\r\n', 'one\ntwo'],
  ])('a text of several lines, %s, with line ends of another system', (_, text, value) => {
    expect(parseDocument(text)).toMatchObject({ document: { value: { a: value } } });
  });

  test('brackets in a text', () => {
    expect(parseDocument('a: "[[[[ x ]]]]"\n')).toMatchObject({ document: { value: { a: '[[[[ x ]]]]' } } });
  });
});

describe('lineOf', () => {
  const text = 'a:\n  b: 1\n  c:\n    - d: 1\n    - d: 2\n      e: 3\n';
  const parsed = parseDocument(text);
  const lineOf = 'document' in parsed ? parsed.document.lineOf : () => undefined;

  test.each<[PropertyKey[], number]>([
    [[], 1],
    [['a'], 1],
    [['a', 'b'], 2],
    [['a', 'c'], 3],
    [['a', 'c', 0], 4],
    [['a', 'c', 1, 'e'], 6],
    [['a', 'c', 1, 'missing'], 5],
    [['a', 'missing', 'deeper'], 1],
  ])('of %j is %i', (path, line) => {
    expect(lineOf(path)).toBe(line);
  });
});

test('no text at all makes parseDocument throw', () => {
  const piece = fc.constantFrom(
    ...[
      'a: ',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      '\n',
      '  ',
      '"',
      "'",
      '|\n',
      '&x ',
      '*x',
      '!!set ',
      '---\n',
      ': ',
      '%YAML 1.1\n',
      '#',
      ',',
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 60 }).map(pieces => pieces.join('')),
  );

  fc.assert(
    fc.property(text, hostile => {
      const parsed = parseDocument(hostile);
      expect('flaw' in parsed || 'document' in parsed).toBe(true);
    }),
    { numRuns: 500 },
  );
});
