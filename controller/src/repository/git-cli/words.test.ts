import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine, plainText } from './words.ts';

describe('foreign words', () => {
  it('lose control characters and escape sequences, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
        expect(oneLine(plainText(text, []))).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('lose the whole escape sequence, not only its first character', () => {
    expect(oneLine(plainText('\u001b[31mred\u001b[0m \u001b]0;title\u0007rest', []))).toBe('red rest');
  });

  it('lose credentials in addresses and every secret', () => {
    const said = "fatal: unable to access 'https://user:hunter22@example.org/x': token ghp_abcdef refused";
    expect(plainText(said, ['ghp_abcdef'])).toBe(
      "fatal: unable to access 'https://example.org/x': token [secret] refused",
    );
  });

  it('become one bounded line', () => {
    expect(oneLine('a\n\n  b  \nc')).toBe('a; b; c');
    expect(oneLine('x'.repeat(5000)).length).toBeLessThan(700);
  });
});
