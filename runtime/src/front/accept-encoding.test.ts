import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptedOf, FROM_BYTES, rememberedAccepted } from './accept-encoding.ts';

describe('reading an Accept-Encoding', () => {
  test.each([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['GZip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate', 'gzip'],
    ['deflate, gzip', 'gzip'],
    ['gzip;q=0.5, deflate;q=0.8', 'deflate'],
    ['gzip; q = 0.5 , deflate;q=0.4', 'gzip'],
    ['gzip, deflate, br, zstd', 'gzip'],
    ['*', 'gzip'],
    ['gzip;q=0, *', 'deflate'],
    ['br, *;q=0.1', 'gzip'],
    ['gzip, identity', 'gzip'],
    ['gzip;q=0.5, identity;q=0.4', 'gzip'],
    ['identity;q=0, gzip;q=0.001', 'gzip'],
    ['gzip;q=1.000', 'gzip'],
  ])('of %s chooses %s', (header, coding) => {
    expect(acceptedOf(header).coding).toBe(coding);
  });

  test.each([
    undefined,
    '',
    ',',
    'identity',
    'br, zstd',
    'gzip;q=0',
    'gzip;q=0, deflate;q=0.000',
    '*;q=0',
    'gzip;q=0.4, identity;q=0.5',
    'gzip;q=2',
    'gzip;q=-1',
    'gzip;q=0.1234',
    'gzip;q=1;level=9',
    'gzip;level=9',
    'gzip2',
    'identity;q=0, br',
  ])('takes nothing of %s but the answer as it is', header => {
    expect(acceptedOf(header)).toEqual({ coding: null, fromBytes: FROM_BYTES, isAskedFor: false });
  });

  test.each([
    ['gzip', true],
    ['gzip, identity;q=0.5, *;q=0', true],
    ['deflate;q=0.5', true],
    ['gzip, deflate', false],
    ['gzip, br', false],
    ['*', false],
    ['gzip, *;q=0.1', false],
  ])('tells of %s whether that coding was asked for: %s', (header, isAskedFor) => {
    expect(acceptedOf(header).isAskedFor).toBe(isAskedFor);
  });

  test.each(['gzip, identity;q=0', 'gzip, *;q=0', '*, identity;q=0.0'])(
    'spares no answer, however short, whose caller says %s',
    header => {
      expect(acceptedOf(header)).toMatchObject({ coding: 'gzip', fromBytes: 0, isAskedFor: true });
    },
  );

  test('gives what was remembered exactly as it is read anew, whatever came before', () => {
    const accepted = rememberedAccepted();
    const coding = fc.constantFrom('gzip', 'deflate', 'x-gzip', 'br', 'identity', '*', 'GZIP', 'gzip x', '');
    const weight = fc.constantFrom('', ';q=0', ';q=0.5', '; q=1', ';q=1.0001', ';q', ';q=0;x');
    const member = fc.tuple(coding, weight).map(parts => parts.join(''));
    const header = fc.option(
      fc.array(member, { maxLength: 40 }).map(members => members.join(', ')),
      { nil: undefined },
    );

    fc.assert(
      fc.property(header, text => {
        const read = accepted(text);

        expect(read).toEqual(acceptedOf(text));
        expect(accepted(text)).toEqual(read);
        if (read.fromBytes === 0) expect(read.coding).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});
