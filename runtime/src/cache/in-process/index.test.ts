import type { CachePolicy } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { aReply, LABEL, noShelfCounts } from '../reply.fixture.ts';
import { storeContract } from '../store.contract.ts';
import { sizeOf } from './entry.ts';
import { inProcessReplies } from './index.ts';

const MIB = 2 ** 20;

storeContract('in process', async clock => ({
  store: inProcessReplies({ clock, budgetBytes: 2 * MIB }),
  written: async () => {},
  tooLargeBytes: MIB / 8,
  close: async () => {},
}));

function open(budgetBytes: number, policy: CachePolicy = { forMs: 60_000, bytes: MIB }) {
  const clock = steppedClock();
  const store = inProcessReplies({ clock, budgetBytes });
  const counts = noShelfCounts();
  const shelf = store.shelf(LABEL, policy, counts);
  const other = store.shelf({ ...LABEL, model: 'other' }, policy, noShelfCounts());
  return { clock, store, counts, shelf, other };
}

const ENTRY = sizeOf('a', aReply('one'));

describe('answers in this process', () => {
  test('are the first to leave when they were used least lately', () => {
    const { shelf, counts } = open(MIB, { forMs: 60_000, bytes: 8 * ENTRY });
    for (const name of 'abcdefgh') shelf.keep(name, aReply('one'), 60_000);
    shelf.find('a');

    shelf.keep('i', aReply('one'), 60_000);

    expect([...'abcdefghi'].filter(name => shelf.find(name).kind === 'absent')).toEqual(['b']);
    expect(counts).toEqual({ tooLarge: 0, evicted: 1, expired: 0 });
  });

  test('leave for those of another revision when all together have no room', () => {
    const { shelf, other, store, counts } = open(8 * ENTRY);
    for (const name of 'abcd') shelf.keep(name, aReply('one'), 60_000);
    for (const name of 'abcd') other.keep(name, aReply('one'), 60_000);
    shelf.find('a');

    other.keep('e', aReply('one'), 60_000);

    expect([...'abcd'].filter(name => shelf.find(name).kind === 'absent')).toEqual(['b']);
    expect(counts.evicted).toBe(1);
    expect(store.describe()).toEqual({ bytes: 8 * ENTRY, budgetBytes: 8 * ENTRY, entries: 8 });
  });

  test('are counted as too large, evicted and expired', async () => {
    const { shelf, clock, counts } = open(MIB, { forMs: 60_000, bytes: 8 * ENTRY });
    shelf.keep('large', aReply('x'.repeat(ENTRY)), 60_000);
    shelf.keep('b', aReply('one'), 1000);
    shelf.keep('a', aReply('one'), 60_000);
    await clock.advance(1000);

    shelf.find('b');

    expect(counts).toEqual({ tooLarge: 1, evicted: 0, expired: 1 });
  });

  test('leave their room when nobody used them as long as they were good', async () => {
    const { shelf, clock, counts } = open(MIB);
    for (const name of 'abc') shelf.keep(name, aReply('one'), 1000);
    await clock.advance(1000);

    expect(shelf.describe()).toEqual({ bytes: 0, entries: 0 });
    expect(counts.expired).toBe(3);
  });

  test('leave their room when their revision is dropped, and are not kept after', () => {
    const { shelf, other, store } = open(MIB);
    shelf.keep('a', aReply('one'), 60_000);
    other.keep('a', aReply('one'), 60_000);

    shelf.close();
    shelf.keep('b', aReply('one'), 60_000);

    expect(shelf.find('a').kind).toBe('absent');
    expect(shelf.find('b').kind).toBe('absent');
    expect(other.find('a').kind).toBe('known');
    expect(store.describe()).toMatchObject({ bytes: ENTRY, entries: 1 });
  });

  test('do not keep the larger allocation alive of which a small body is a slice', () => {
    const { shelf } = open(MIB);
    const slice = Buffer.alloc(8192, 'a').subarray(0, 3);
    shelf.keep('a', { headers: [], body: slice }, 60_000);

    const found = shelf.find('a');

    expect(found.kind === 'known' && found.reply.body.buffer.byteLength).toBe(3);
  });

  test('never take more than a budget, and give nothing but what was told last, whatever happens', async () => {
    const act = fc.record({
      name: fc.constantFrom(...'abcdefghij'),
      size: fc.integer({ min: 0, max: 2500 }),
      forMs: fc.integer({ min: 1, max: 50 }),
      afterMs: fc.integer({ min: 0, max: 5 }),
      isOther: fc.boolean(),
      does: fc.constantFrom('keep', 'find'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 80 }), async acts => {
        const budget = 24_000;
        const { clock, store, shelf, other } = open(budget, { forMs: 50, bytes: 16_000 });
        const told = new Map<string, { size: number; until: number }>();
        for (const { name, size, forMs, afterMs, isOther, does } of acts) {
          const [at, where] = [isOther ? other : shelf, `${isOther}${name}`];
          if (afterMs > 0) await clock.advance(afterMs);
          const until = clock.elapsed() + forMs;
          if (does === 'keep') {
            at.keep(name, { headers: [], body: Buffer.alloc(size) }, until);
            if (at.find(name).kind === 'known') told.set(where, { size, until });
          } else {
            const found = at.find(name);
            if (found.kind === 'known') {
              expect(told.get(where)).toEqual({ size: found.reply.body.byteLength, until: found.until });
              expect(found.until).toBeGreaterThan(clock.elapsed());
            }
          }
          expect(store.describe().bytes).toBeLessThanOrEqual(budget);
          expect(shelf.describe().bytes).toBeLessThanOrEqual(16_000);
        }
        const all = [shelf.describe(), other.describe()];
        expect(store.describe().bytes).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(store.describe().entries).toBe(all.reduce((sum, { entries }) => sum + entries, 0));
      }),
      { numRuns: 60 },
    );
  });
});
