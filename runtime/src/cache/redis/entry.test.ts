import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aReply, LABEL } from '../reply.fixture.ts';
import { entrySeal, entrySize, printLabel } from './entry.ts';

const SECRET = 'a secret of the tests';
const seal = entrySeal(SECRET);
const name = seal.nameOf(printLabel(LABEL), 'name');
const sealed = { reply: aReply('answer'), goodUntil: 2000 };
const bytes = seal.seal(name, sealed);

describe('an entry in Redis', () => {
  test('opens to what was sealed', () => {
    expect(seal.open(name, bytes, 1000)).toEqual(sealed);
  });

  test('is opened by whoever has the same secret, under the same name', () => {
    const other = entrySeal(SECRET);

    expect(other.nameOf(printLabel(LABEL), 'name')).toEqual(name);
    expect(other.open(name, bytes, 1000)).toEqual(sealed);
  });

  test('has another name and no worth under another secret', () => {
    const other = entrySeal('another secret of the tests');

    expect(other.nameOf(printLabel(LABEL), 'name').name).not.toBe(name.name);
    expect(other.open(name, bytes, 1000)).toBe('forged');
  });

  test('is refused with any one bit turned', () => {
    for (let bit = 0; bit < 8 * bytes.byteLength; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(seal.open(name, changed, 1000)).toBeTypeOf('string');
    }
  });

  test('is refused when it is cut off anywhere, or longer', () => {
    for (let length = 0; length < bytes.byteLength; length++)
      expect(seal.open(name, bytes.subarray(0, length), 1000)).toBe('malformed');
    expect(seal.open(name, Buffer.concat([bytes, Buffer.from([0])]), 1000)).toBe('malformed');
  });

  test('is foreign under any other name, though we wrote it', () => {
    const other = seal.nameOf(printLabel({ ...LABEL, digest: 'sha256:other' }), 'name');

    expect(seal.open(other, bytes, 1000)).toBe('foreign');
  });

  test('is over at its time, though Redis still has it', () => {
    expect(seal.open(name, bytes, 1999)).toEqual(sealed);
    expect(seal.open(name, bytes, 2000)).toBe('expired');
  });

  test('is never opened from bytes that somebody else made up', () => {
    const madeUp = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Rightly laid out, with any code.
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map(code => {
        const forged = Buffer.from(bytes);
        forged.set(code, 1);
        return forged;
      }),
    );
    fc.assert(
      fc.property(madeUp, made => {
        expect(seal.open(name, Buffer.from(made), 1000)).toBeTypeOf('string');
      }),
    );
  });

  test('takes the bytes that were foretold', () => {
    expect(bytes.byteLength).toBe(entrySize(sealed.reply));
  });
});
