import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OLDEST_LEADS_EVERY, Queue, Waiting } from './queue.ts';

const request = fc.record({
  lane: fc.constantFrom('a', 'b', 'c', null),
  rows: fc.integer({ min: 1, max: 12 }),
  rank: fc.constantFrom(1, 2, 40, Number.POSITIVE_INFINITY),
  due: fc.integer({ min: 0, max: 50 }),
  isWanted: fc.boolean(),
});
const command = fc.oneof(
  { weight: 6, arbitrary: request.map(made => ({ kind: 'add' as const, made })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 16 }).map(rows => ({ kind: 'next' as const, rows })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) },
);

class Numbered extends Waiting {
  isWanted = true;
}

function waiting(lane: string | null, rows = 1, rank = 1, due = 0): Numbered {
  return new Numbered(lane, rows, rank, due, due);
}

const wanted = (item: Numbered): boolean => item.isWanted;
const rowsOf = (items: readonly Waiting[]): number => items.reduce((sum, { rows }) => sum + rows, 0);

describe('the queue', () => {
  test('gives each request out once, in batches of one shape that are not too large, and counts what is left', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), commands => {
        const queue = new Queue<Numbered>();
        let left: Numbered[] = [];

        for (const one of commands) {
          if (one.kind === 'add') {
            const { lane, rows, rank, due, isWanted } = one.made;
            const item = waiting(lane, rows, rank, due);
            item.isWanted = isWanted;
            queue.add(item);
            left.push(item);
          } else {
            const { batch, dropped } =
              one.kind === 'next'
                ? queue.nextBatch(one.rows, wanted)
                : { batch: [], dropped: queue.sweep(wanted) };
            const out = [...batch, ...dropped];
            expect(new Set(out).size).toBe(out.length);
            expect(out.every(item => left.includes(item))).toBe(true);
            expect(batch.every(wanted)).toBe(true);
            expect(dropped.some(wanted)).toBe(false);
            expect(new Set(batch.map(({ laneKey }) => laneKey)).size).toBeLessThanOrEqual(1);
            if (batch.length > 1) expect(batch[0]!.laneKey).not.toBeNull();
            if (one.kind === 'next' && batch.length > 1) expect(rowsOf(batch)).toBeLessThanOrEqual(one.rows);
            left = left.filter(item => !out.includes(item));
            if (one.kind === 'next' && left.some(wanted) && out.length === 0) expect.unreachable();
            if (one.kind === 'sweep') expect(left.every(wanted)).toBe(true);
          }
          expect(queue.size).toBe(left.length);
          expect(queue.rows).toBe(rowsOf(left));
          expect(queue.rowsBefore(1)).toBe(rowsOf(left.filter(({ rank }) => rank === 1)));
          expect(queue.rowsBefore(2)).toBe(rowsOf(left.filter(({ rank }) => rank <= 2)));
          expect(queue.rowsBefore(Number.POSITIVE_INFINITY)).toBe(queue.rows);
          expect(left.every(({ deadline }) => queue.soonest <= deadline)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('goes by class, then by due time, then by arrival, but for the batches of the oldest', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 40 }), requests => {
        const queue = new Queue<Numbered>();
        const left = requests.map(({ rank, due }) => waiting(null, 1, rank, due));
        for (const item of left) queue.add(item);

        for (let batch = 1; left.length > 0; batch++) {
          const [leader] = queue.nextBatch(1, () => true).batch;
          const first = left.toSorted((a, b) => (a.rank === b.rank ? a.due - b.due : a.rank - b.rank))[0];
          expect(leader).toBe(batch % OLDEST_LEADS_EVERY === 0 ? left[0] : first);
          left.splice(left.indexOf(leader!), 1);
        }
      }),
    );
  });

  test('lets nobody starve, however many more urgent ones keep coming', () => {
    fc.assert(
      fc.property(fc.nat(10), fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (older, bursts) => {
        const queue = new Queue<Numbered>();
        for (let index = 0; index < older; index++) queue.add(waiting(null, 1, 3));
        const last = waiting('slow', 1, Number.POSITIVE_INFINITY, 1000);
        queue.add(last);
        const bound = OLDEST_LEADS_EVERY * (older + 1);

        let batches = 0;
        for (let isOut = false; !isOut; batches++) {
          const urgent = bursts[batches % bursts.length]!;
          for (let index = 0; index < urgent; index++) queue.add(waiting('quick'));
          isOut = queue.nextBatch(4, () => true).batch.includes(last);
          if (batches > bound) break;
        }

        expect(batches).toBeLessThanOrEqual(bound);
      }),
    );
  });

  test('fills a batch with those that fit, past a few that do not', () => {
    const queue = new Queue<Numbered>();
    const items = [4, 4, 4, 1].map(rows => waiting('a', rows));
    for (const item of items) queue.add(item);

    expect(queue.nextBatch(9, () => true).batch).toEqual([items[0], items[1], items[3]]);
    expect(queue.nextBatch(9, () => true).batch).toEqual([items[2]]);
  });

  test('lets a request that is too large go alone', () => {
    const queue = new Queue<Numbered>();
    for (const rows of [20, 1]) queue.add(waiting('a', rows));

    expect(queue.nextBatch(8, () => true).batch.map(({ rows }) => rows)).toEqual([20]);
  });

  test('takes back what was given out, at its old place', () => {
    const queue = new Queue<Numbered>();
    const items = ['a', 'a', 'a'].map(lane => waiting(lane));
    for (const item of items) queue.add(item);
    const { batch } = queue.nextBatch(2, () => true);
    for (const item of batch) {
      item.laneKey = 'again';
      queue.add(item);
    }

    expect(queue.nextBatch(2, () => true).batch).toEqual([items[0], items[1]]);
    expect(queue.nextBatch(2, () => true).batch).toEqual([items[2]]);
  });

  test('compares each request with a few others only, however many wait', () => {
    const comparisonsEach = (count: number): number => {
      const queue = new Queue<Numbered>();
      let reads = 0;
      for (let index = 0; index < count; index++) {
        const item = waiting(`lane ${index % 300}`, 1, 1, (index * 7919) % 10_007);
        Object.defineProperty(item, 'rank', {
          get() {
            reads++;
            return 1;
          },
        });
        queue.add(item);
      }
      while (queue.size > 0) queue.nextBatch(8, () => true);
      return reads / count;
    };

    expect(comparisonsEach(10_000)).toBeLessThan(comparisonsEach(400) * 2);
  });
});
