import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bloat } from './bloat.ts';

const MIB = 2 ** 20;
const LIMIT = 512 * MIB;

/** Held beyond blank, after so much when warm: whether that is bloat. */
const isBloat = (heldMiB: number, ownMiB: number): boolean =>
  bloat({ blankBytes: 80 * MIB, ownBytes: ownMiB * MIB }, (80 + heldMiB) * MIB, LIMIT) !== null;

test.each<[string, number, number, boolean]>([
  ['what it was when warm', 100, 100, false],
  ['the memory of a large batch, kept by ONNX Runtime', 200, 20, false],
  ['near its limit', 470, 200, true],
  ['near its limit because the graph is that large', 480, 470, false],
  ['beyond its limit, where nobody enforces it', 600, 470, true],
  ['far beyond what it was, though within the limit', 300, 20, true],
  ['half of the limit more than a graph that is large itself', 440, 200, false],
])('an engine that holds %s', (_, held, own, expected) => {
  expect(isBloat(held, own)).toBe(expected);
});

test('an engine is never bloated by what it held when it was warm, and always by twice its limit more', () => {
  const bytes = fc.integer({ min: 0, max: 8 * 2 ** 30 });
  fc.assert(
    fc.property(bytes, bytes, fc.integer({ min: MIB, max: 8 * 2 ** 30 }), (blankBytes, ownBytes, limit) => {
      const footprint = { blankBytes, ownBytes };
      expect(bloat(footprint, blankBytes + ownBytes, limit)).toBeNull();
      expect(bloat(footprint, blankBytes + 4 * ownBytes + 2 * limit, limit)).not.toBeNull();
    }),
  );
});

test('bloat is told in figures', () => {
  expect(bloat({ blankBytes: 80 * MIB, ownBytes: 20 * MIB }, 560 * MIB, LIMIT)).toBe(
    'it held 480 MiB, after 20 MiB when it was warm, and may hold 512 MiB',
  );
});
