import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grown } from './grown-map.ts';

const byKey = ([a]: [number, number], [b]: [number, number]): number => a - b;
const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.option(fc.integer())), {
  maxLength: 60,
});

/** Large enough that changes are kept beside it. */
const large = Array.from({ length: 600 }, (_, i): [number, number] => [i * 3, i]);

describe('grown', () => {
  it('is after any changes what a plain map would be, and was before', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), steps => {
        const plain = new Map(large);
        let map: ReadonlyMap<number, number> = new Map(large);
        for (const step of steps) {
          const before = map;
          const entries = [...before];
          map = grown(map, new Map(step));
          for (const [key, value] of new Map(step)) {
            if (value === null) plain.delete(key);
            else plain.set(key, value);
          }
          expect([...before].join()).toBe(entries.join());
          expect(before.size).toBe(entries.length);
          expect([...map].sort(byKey).join()).toBe([...plain].sort(byKey).join());
          expect([map.size, [...map.keys()].length, [...map.values()].length]).toEqual(
            Array(3).fill(plain.size),
          );
          for (let key = 0; key <= 40; key++)
            expect([map.has(key), map.get(key)]).toEqual([plain.has(key), plain.get(key)]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('puts the two together before the small one is large', () => {
    let map: ReadonlyMap<number, number> = new Map([[-1, -1]]);
    for (let i = 0; i < 3_000; i++) map = grown(map, new Map([[i, i]]));
    map = grown(map, new Map([[7, null]]));

    expect(map.size).toBe(3_000);
    expect([map.get(-1), map.get(7), map.get(2_999)]).toEqual([-1, undefined, 2_999]);
    let sum = 0;
    map.forEach(value => {
      sum += value;
    });
    expect(sum).toBe((2_999 * 3_000) / 2 - 7 - 1);
  });
});
