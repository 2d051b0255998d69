import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Place, Recency } from './recency.ts';

test('is in the order of the last use, as a plain list would be', () => {
  const act = fc.record({ do: fc.constantFrom('add', 'touch', 'remove'), at: fc.nat({ max: 1000 }) });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 100 }), acts => {
      const recency = new Recency<number>();
      const places: Place<number>[] = [];
      for (const [item, { do: verb, at }] of acts.entries()) {
        const place = places[at % Math.max(1, places.length)];
        if (verb === 'add') places.push(recency.add(item));
        else if (place !== undefined) {
          places.splice(places.indexOf(place), 1);
          if (verb === 'remove') recency.remove(place);
          else {
            recency.touch(place);
            places.push(place);
          }
        }
        expect(recency.oldest).toBe(places[0]?.item);
      }
      for (const place of places) {
        expect(recency.oldest).toBe(place.item);
        recency.remove(place);
      }
      expect(recency.oldest).toBeUndefined();
    }),
  );
});
