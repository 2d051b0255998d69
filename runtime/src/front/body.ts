import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { SwitchbackError } from '../error.ts';

export interface BodyLimits {
  /** Of a body, also once decompressed. */
  bodyBytes: number;
}

const DECODERS = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) };

/** The whole body, no longer compressed. Throws E_BODY_TOO_LARGE without reading on, else as `decodeBody`. */
export async function readBody(request: IncomingMessage, { bodyBytes }: BodyLimits): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge(bodyBytes);
  const body = await collect(request, bodyBytes);
  const encoding = request.headers['content-encoding'];
  return encoding === undefined ? body : decodeBody(body, encoding, bodyBytes);
}

function collect(request: IncomingMessage, most: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let first: Buffer | null = null;
    let rest: Buffer[] | null = null;
    let held = 0;
    request.on('data', (chunk: Buffer) => {
      held += chunk.length;
      if (held > most) reject(tooLarge(most));
      else if (first === null) first = chunk;
      else if (rest === null) rest = [first, chunk];
      else rest.push(chunk);
    });
    request.on('end', () => resolve(rest === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest, held)));
    request.on('error', () => reject(new SwitchbackError('E_BODY', 'The body did not arrive whole.')));
  });
}

/** Undoes a content-encoding. Throws E_BODY_TOO_LARGE, E_BODY, and E_MEDIA_TYPE for one that is not known here. */
export async function decodeBody(body: Buffer, contentEncoding: string, most: number): Promise<Buffer> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return body;
  const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding as keyof typeof DECODERS] : undefined;
  if (decoder === undefined)
    throw new SwitchbackError(
      'E_MEDIA_TYPE',
      `The body has the content-encoding ${JSON.stringify(encoding.slice(0, 60))}; gzip and deflate are understood.`,
    );
  try {
    return await decoder(body, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
    throw new SwitchbackError('E_BODY', `The body is no valid ${encoding}.`);
  }
}

function tooLarge(most: number): SwitchbackError {
  const message = `The body is larger than ${most} bytes, also once decompressed: send fewer rows at a time, or binary tensors.`;
  return new SwitchbackError('E_BODY_TOO_LARGE', message, { details: { mostBytes: most } });
}
