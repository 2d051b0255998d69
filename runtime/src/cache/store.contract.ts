import type { CachePolicy } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type SteppedClock, steppedClock } from '../clock.fixture.ts';
import { aReply, LABEL, noShelfCounts } from './reply.fixture.ts';
import type { Known, Lookup, ReplyStore, Shelf } from './store.ts';

export interface StoreUnderTest {
  store: ReplyStore;
  /** Resolves when what was kept can be found. */
  written(): Promise<void>;
  /** Of a body that is not kept, under the policy of these tests. */
  tooLargeBytes: number;
  close(): Promise<void>;
}

const POLICY: CachePolicy = { forMs: 60_000, bytes: 2 ** 20 };

/** What every store of answers must do. */
export function storeContract(name: string, make: (clock: SteppedClock) => Promise<StoreUnderTest>): void {
  describe(`reply store contract: ${name}`, () => {
    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });

    async function open(): Promise<StoreUnderTest & { clock: SteppedClock; shelf: Shelf }> {
      const clock = steppedClock();
      const made = await make(clock);
      closers.push(made.close);
      return { ...made, clock, shelf: made.store.shelf(LABEL, POLICY, noShelfCounts()) };
    }

    test('knows nothing that it was not told', async () => {
      const { shelf } = await open();

      expect((await shelf.find('nothing')).kind).toBe('absent');
    });

    test('gives an answer as it was told, whatever its bytes and headers are', async () => {
      const { shelf, written } = await open();
      const reply = fc.record({
        headers: fc
          .array(fc.tuple(fc.constantFrom('a', 'content-type', 'x-é'), fc.string({ unit: 'binary-ascii' })))
          .map(pairs => pairs.flat()),
        body: fc.uint8Array({ maxLength: 5000 }).map(bytes => Buffer.from(bytes)),
      });

      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary-ascii' }), reply, async (entry, told) => {
          shelf.keep(entry, told, 60_000);
          await written();

          const { reply: found } = known(await shelf.find(entry));
          expect(found.headers).toEqual(told.headers);
          expect(found.body.equals(told.body)).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    test('keeps the answers of other names, models, revisions and digests apart', async () => {
      const { store, shelf, written } = await open();
      shelf.keep('name', aReply('one'), 60_000);
      await written();

      for (const label of [
        { ...LABEL, model: 'other' },
        { ...LABEL, revision: 'other' },
        { ...LABEL, digest: 'other' },
        // The same letters, parted elsewhere.
        { ...LABEL, model: LABEL.model + LABEL.revision[0], revision: LABEL.revision.slice(1) },
      ]) {
        const found = await store.shelf(label, POLICY, noShelfCounts()).find('name');
        expect(found.kind).toBe('absent');
      }
      expect((await shelf.find('nam')).kind).toBe('absent');
      expect((await shelf.find('name ')).kind).toBe('absent');
    });

    test('gives the newer of two answers', async () => {
      const { shelf, written } = await open();
      shelf.keep('name', aReply('one'), 60_000);
      await written();
      shelf.keep('name', aReply('two'), 60_000);
      await written();

      expect(known(await shelf.find('name')).reply.body.toString()).toBe('two');
    });

    test('gives an answer as long as it is good, and says until when', async () => {
      const { shelf, written, clock } = await open();
      await clock.advance(5000);
      shelf.keep('name', aReply('one'), 15_000);
      await written();

      await clock.advance(8000);
      const { until } = known(await shelf.find('name'));
      await clock.advance(2000);

      // A shared store may let go earlier, by a tenth, so that not all go at once.
      expect(until).toBeGreaterThanOrEqual(14_000);
      expect(until).toBeLessThanOrEqual(15_000);
      expect((await shelf.find('name')).kind).not.toBe('known');
    });

    test('keeps nothing that is good no longer', async () => {
      const { shelf, written, clock } = await open();
      await clock.advance(1000);
      shelf.keep('name', aReply('one'), 1000);
      await written();

      expect((await shelf.find('name')).kind).toBe('absent');
    });

    test('keeps no answer that is too large, and others all the same', async () => {
      const { shelf, written, tooLargeBytes } = await open();
      shelf.keep('large', { headers: [], body: Buffer.alloc(tooLargeBytes) }, 60_000);
      shelf.keep('small', aReply('one'), 60_000);
      await written();

      expect((await shelf.find('large')).kind).toBe('absent');
      expect((await shelf.find('small')).kind).toBe('known');
    });
  });
}

function known(lookup: Lookup): Known {
  if (lookup.kind !== 'known') throw new Error(`expected an answer and got: ${JSON.stringify(lookup)}`);
  return lookup;
}
