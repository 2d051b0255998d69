import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRefs } from './ls-refs.ts';

const SHA = 'a'.repeat(40);
const packet = (content: string): string => (content.length + 4).toString(16).padStart(4, '0') + content;

describe('readRefs', () => {
  it('finds the ref itself among those that begin alike', () => {
    const text = `${packet(`${'b'.repeat(40)} refs/heads/main2\n`)}${packet(`${SHA} refs/heads/main\n`)}0000`;
    expect(readRefs(text, 'refs/heads/main')).toEqual({ kind: 'at', commit: SHA });
    expect(readRefs(text, 'refs/heads/mai')).toEqual({ kind: 'absent' });
    expect(readRefs('0000', 'refs/heads/main')).toEqual({ kind: 'absent' });
  });

  it.each([
    ['nothing', ''],
    ['a cut answer', `${packet(`${SHA} refs/heads/x\n`)}00`],
    ['an error', packet('ERR no')],
    ['a page', '<html>'],
    ['a longer hash', `${packet(`${SHA}${'a'.repeat(24)} refs/heads/main\n`)}0000`],
  ])('leaves %s to git', (_, text) => {
    expect(readRefs(text, 'refs/heads/main')).toEqual({ kind: 'unknown' });
  });

  it('ends on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => readRefs(text, 'refs/heads/main').kind !== 'at'),
    );
  });
});
