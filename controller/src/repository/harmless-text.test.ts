import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless, harmlessLine } from './harmless-text.ts';

describe('harmless text', () => {
  it('leaves nothing that a terminal obeys, and every line where it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const plain = harmless(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
        expect(plain).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(harmless(plain)).toBe(plain);
      }),
    );
    expect(harmless('Outcome: baked\nBy: \u001b[31mEve\u001b[0m\u202e\r\n')).toBe(
      'Outcome: baked\nBy: Eve \n',
    );
  });

  it('bounds a line, however much was sent', () => {
    expect(harmlessLine('a\nb\u0007', 10)).toBe('a b');
    expect(harmlessLine('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(10)} …`);
  });
});
