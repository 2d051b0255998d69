import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePredictionId, predictionIds } from './prediction-id.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const revisions = fc.tuple(hex(12), hex(8)).map(parts => parts.join('-'));

test('an id gives back the revision that it was made for, and no two are the same', () => {
  const next = predictionIds();
  const seen = new Set<string>();
  fc.assert(
    fc.property(revisions, revision => {
      for (let n = 0; n < 20; n++) {
        const id = next(revision);
        expect(parsePredictionId(id)?.revision).toBe(revision);
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
    }),
  );
});

test.each([
  '',
  '.',
  'aaaaaaaaaaaa-bbbbbbbb',
  'aaaaaaaaaaaa-bbbbbbbb.',
  'aaaaaaaaaaaa-bbbbbbbb.0123456789abcdef0123456',
  'aaaaaaaaaaaa-bbbbbbbb.0123456789abcdef01234567a',
  'AAAAAAAAAAAA-bbbbbbbb.0123456789abcdef01234567',
  'aaaaaaaaaaaa-bbbbbbbb.0123456789abcdef01234567\n',
  ' aaaaaaaaaaaa-bbbbbbbb.0123456789abcdef01234567',
])('%j is no prediction id', text => {
  expect(parsePredictionId(text)).toBeNull();
});
