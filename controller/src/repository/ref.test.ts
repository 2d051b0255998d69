import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualifiedRef } from './ref.ts';

describe('qualifiedRef', () => {
  it.each([
    ['main', 'refs/heads/main'],
    ['team/fraud-2', 'refs/heads/team/fraud-2'],
    ['switchback/prod/screening/0123', 'refs/heads/switchback/prod/screening/0123'],
    ['refs/switchback/history', 'refs/switchback/history'],
    ['fix_#12', 'refs/heads/fix_#12'],
  ])('reads %s as %s', (name, ref) => {
    expect(qualifiedRef(name)).toBe(ref);
  });

  it('lets nothing through that git could read as an option, a range, a pattern or another path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        let ref: string;
        try {
          ref = qualifiedRef(name);
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_GIT_REF' });
          return;
        }
        expect(ref).toMatch(/^refs\/[-\w+.=@#/]+$/);
        expect(ref).not.toMatch(/\.\.|@\{|\/-|\/\.|\/\/|\.lock(\/|$)|[./]$/);
      }),
      { numRuns: 1000 },
    );
  });
});
