import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';
import { type Accepted, type ContentCoding, FROM_BYTES } from './accept-encoding.ts';
import type { HttpAnswer } from './protocol/http.ts';

/** By zlib's threads, so that nobody else waits. What others call deflate has zlib's head and tail. */
const ENCODERS: Readonly<Record<ContentCoding, (body: string | Buffer, options: object) => Promise<Buffer>>> =
  {
    gzip: promisify(gzip),
    deflate: promisify(deflate),
  };
/** The higher ones take twice to five times as long for a tenth less. */
const OPTIONS = { level: constants.Z_BEST_SPEED };
const BINARY = 'application/octet-stream';

/**
 * The answer as its caller takes it, for one that is not shorter than `accepted.fromBytes`; the others cost that
 * comparison. Tensors in binary hardly shrink (1.1 times, which a line of 40 Mbit/s does in the same time): they are
 * compressed only where that coding and no other was asked for. Never rejects.
 */
export async function compressed(answer: HttpAnswer, accepted: Accepted): Promise<HttpAnswer> {
  const { status, headers, body } = answer;
  if (status >= 400 && body.length < FROM_BYTES) return answer;
  const varied = [...headers, 'vary', 'accept-encoding'];
  const packed = isWorthwhile(answer, accepted) ? await encode(body, accepted.coding!) : null;
  const isSmaller = packed !== null && (packed.length < body.length || accepted.fromBytes === 0);
  if (!isSmaller) return { status, headers: varied, body };
  return { status, headers: [...varied, 'content-encoding', accepted.coding!], body: packed };
}

function isWorthwhile({ headers }: HttpAnswer, { coding, isAskedFor }: Accepted): boolean {
  return coding !== null && (isAskedFor || headers[headers.indexOf('content-type') + 1] !== BINARY);
}

/** Null: it could not be, for want of memory say; it goes as it is. */
async function encode(body: string | Buffer, coding: ContentCoding): Promise<Buffer | null> {
  try {
    return await ENCODERS[coding](body, OPTIONS);
  } catch {
    return null;
  }
}
