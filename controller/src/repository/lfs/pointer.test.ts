import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objectOf } from './artifact.contract.ts';
import { formatPointer, parsePointer } from './pointer.ts';

const OID = 'a'.repeat(64);
const GOOD = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize 12345\n`;
const parse = (text: string): ReturnType<typeof parsePointer> => parsePointer(Buffer.from(text));

describe('parsePointer', () => {
  it('reads what it wrote, for any digest and size', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 9e15 }), (content, sizeBytes) => {
        const object = { ...objectOf(content), sizeBytes };
        expect(parse(formatPointer(object))).toEqual({ kind: 'pointer', ...object });
      }),
    );
  });

  it('takes nothing for a pointer that it would write differently', () => {
    let pointers = 0;
    fc.assert(
      fc.property(
        fc.nat(GOOD.length - 1),
        fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('\n', '\r', '0', '9', 'f', 'A', ' ', '\0')),
        fc.nat(3),
        (at, inserted, removed) => {
          const text = GOOD.slice(0, at) + inserted + GOOD.slice(at + removed);
          const pointer = parse(text);
          if (pointer.kind !== 'pointer') return;
          pointers++;
          expect(formatPointer(pointer)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
    expect(pointers).toBeGreaterThan(20);
  });

  it.each([
    ['CRLF line ends', GOOD.replaceAll('\n', '\r\n'), /carriage return/],
    ['an upper-case oid', GOOD.replace(OID, OID.toUpperCase()), /second line/],
    ['another hash', GOOD.replace('sha256', 'sha1'), /second line/],
    ['a short oid', GOOD.replace(OID, 'a'.repeat(63)), /second line/],
    ['a negative size', GOOD.replace('12345', '-1'), /third line/],
    ['a size in another notation', GOOD.replace('12345', '1e4'), /third line/],
    ['a size with a leading zero', GOOD.replace('12345', '012345'), /third line/],
    ['a size beyond exact integers', GOOD.replace('12345', '9999999999999999'), /third line/],
    ['no size', GOOD.replace('size 12345\n', ''), /third line/],
    [
      'unsorted keys',
      `version https://git-lfs.github.com/spec/v1\nsize 1\noid sha256:${OID}\n`,
      /second line/,
    ],
    ['its version in the middle', `oid sha256:${OID}\n${GOOD}`, /first line/],
    ['an extra key', `${GOOD}x-extra 1\n`, /more lines/],
    ['an extension', GOOD.replace('oid', `ext-0-foo sha256:${OID}\noid`), /second line/],
    ['a missing line end', GOOD.trimEnd(), /last line/],
    ['a second line end', `${GOOD}\n`, /more lines/],
    ['a newer version', GOOD.replace('v1', 'v2'), /first line/],
    ['a former name', GOOD.replace('git-lfs', 'hawser'), /first line/],
    ['a byte-order mark', `\ufeff${GOOD}`, /first line/],
    ['1024 bytes', GOOD.padEnd(1024, '\n'), /1024 bytes/],
    ['megabytes', GOOD.padEnd(3_000_000, 'x'), /1024 bytes/],
  ])('calls a pointer with %s malformed and says why', (_, text, reason) => {
    expect(parse(text)).toEqual({ kind: 'malformed', reason: expect.stringMatching(reason) });
  });

  it.each([
    '',
    '\n',
    'version 1.0\n',
    '\u0008\u0009ONNX',
    '{"rows": []}',
    'see version https://git-lfs.github.com/spec/v1',
  ])('takes %j for something else', text => {
    expect(parse(text)).toEqual({ kind: 'not-a-pointer' });
  });
});
