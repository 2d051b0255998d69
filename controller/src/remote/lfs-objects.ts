import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ArtifactDigest } from '@switchback-ml/schemas';
import type { ObjectFolder } from '../repository/lfs/object-folder.ts';
import { Refusal } from './answer.ts';

const LARGEST_OBJECT = 64 * 2 ** 30;

/** Kept once its bytes have the digest that the address names. */
export async function receiveObject(
  folder: ObjectFolder,
  digest: ArtifactDigest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sizeBytes = Number(request.headers['content-length'] ?? Number.NaN);
  if (!Number.isSafeInteger(sizeBytes)) throw new Refusal(411, 'Say how many bytes the object has.');
  if (sizeBytes > LARGEST_OBJECT)
    throw new Refusal(413, `An object of ${sizeBytes} bytes is more than is kept here.`);

  const received = await folder.receive({ digest, sizeBytes }, async write => {
    for await (const chunk of request as AsyncIterable<Buffer>) await write(chunk);
  });
  if (received.kind === 'different') {
    await rm(received.file, { force: true });
    throw new Refusal(422, 'The bytes do not have the digest that they were sent under.');
  }
  response.writeHead(200, { 'content-length': 0 }).end();
}

/** Whole, or from where a cut download goes on. */
export async function sendObject(
  folder: ObjectFolder,
  digest: ArtifactDigest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await folder.open(digest);
  if (found === null) throw new Refusal(404, 'The object is not here.');
  await using handle = found.handle;
  const { sizeBytes } = found;
  const range = parseRange(request.headers.range, sizeBytes);
  if (range === 'outside') throw new Refusal(416, `The object has ${sizeBytes} bytes.`);

  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${sizeBytes}` }),
  });
  if (request.method === 'HEAD' || sizeBytes === 0) response.end();
  else await pipeline(handle.createReadStream({ start, end, autoClose: false }), response);
}

/** One range with a start; anything else is answered with the whole, as the rule of HTTP allows. Inclusive. */
function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'outside' | null {
  const [, from, to] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === undefined) return null;
  const start = Number(from);
  const end = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  return start > end ? 'outside' : { start, end };
}
