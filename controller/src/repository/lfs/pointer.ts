import { ArtifactDigest } from '@switchback-ml/schemas';
import type { LfsObject } from '../repository.ts';

/** `malformed`: it wants to be a pointer and is none; never taken for the file itself. */
export type ParsedPointer =
  | ({ kind: 'pointer' } & LfsObject)
  | { kind: 'malformed'; reason: string }
  | { kind: 'not-a-pointer' };

/** A pointer is shorter than this; the rule is the format's own. */
const POINTER_LIMIT = 1024;
const VERSION = 'version https://git-lfs.github.com/spec/v1';
/** Also with the version line in another place, after a byte-order mark, or under the format's first name. */
const CLAIM = /(?:^|\u00ef\u00bb\u00bf)version https?:\/\/(?:git-lfs|hawser)\.github\.com\//m;
const OID = /^oid sha256:([0-9a-f]{64})$/;
const SIZE = /^size (0|[1-9][0-9]{0,15})$/;

/** Strict: version, oid, size, in this order, each line ended by one line feed, and nothing else. */
export function parsePointer(bytes: Uint8Array): ParsedPointer {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, POINTER_LIMIT));
  const text = start.toString('latin1');
  if (!CLAIM.test(text)) return { kind: 'not-a-pointer' };

  if (bytes.length >= POINTER_LIMIT) return malformed('it is 1024 bytes or longer');
  if (text.includes('\r')) return malformed('it has carriage returns; line ends must be line feeds alone');
  if (!text.endsWith('\n')) return malformed('its last line is not ended by a line feed');
  const [version, oid = '', size = '', ...rest] = text.slice(0, -1).split('\n');
  if (version !== VERSION) return malformed(`its first line is not "${VERSION}"`);
  const digest = OID.exec(oid)?.[1];
  if (digest === undefined)
    return malformed('its second line is not "oid sha256:" and 64 lower-case hexadecimal digits');
  const sizeBytes = Number(SIZE.exec(size)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(sizeBytes))
    return malformed('its third line is not "size" and a number of bytes');
  if (rest.length > 0) return malformed('it has more lines than version, oid and size');
  return { kind: 'pointer', digest: ArtifactDigest.parse(digest), sizeBytes };
}

export function formatPointer({ digest, sizeBytes }: LfsObject): string {
  return `${VERSION}\noid sha256:${digest}\nsize ${sizeBytes}\n`;
}

function malformed(reason: string): ParsedPointer {
  return { kind: 'malformed', reason };
}
