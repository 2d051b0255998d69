import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MapChanges } from './map-changes.ts';

const value = fc.constantFrom('x', 'y', 'z');
const map = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...'abcdefgh'), value), { selector: ([key]) => key })
  .map(entries => new Map(entries));

test('tells every key that is new, another or gone, and no other, whatever order the maps have', () => {
  fc.assert(
    fc.property(fc.array(map, { maxLength: 8 }), maps => {
      const changes = new MapChanges<string>();
      let before: ReadonlyMap<string, string> = new Map();
      for (const next of maps) {
        const expected = [...new Set([...before.keys(), ...next.keys()])].filter(
          key => before.has(key) !== next.has(key) || before.get(key) !== next.get(key),
        );

        expect(changes.since(next).toSorted()).toEqual(expected.toSorted());
        before = next;
      }
    }),
    { numRuns: 500 },
  );
});

test('looks nothing up in a copy with one change, so that the rest costs a comparison each', () => {
  const entries = Array.from({ length: 1000 }, (_, index) => [`key ${index}`, index] as const);
  const changes = new MapChanges<number>();
  changes.since(new Map(entries));
  const next = new Watched(entries);
  next.set('key 500', -1);

  expect(changes.since(next)).toEqual(['key 500']);
  expect(next.lookups).toBe(0);
});

class Watched extends Map<string, number> {
  lookups = 0;

  override has(key: string): boolean {
    this.lookups = (this.lookups ?? 0) + 1;
    return super.has(key);
  }

  override get(key: string): number | undefined {
    this.lookups = (this.lookups ?? 0) + 1;
    return super.get(key);
  }
}
