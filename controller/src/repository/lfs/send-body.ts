import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../repository.ts';
import { type Action, LFS_HEADERS } from './batch.ts';
import { readChunks } from './read-chunks.ts';
import type { StallWatch } from './stall.ts';
import type { OnProgress } from './transfer-progress.ts';
import type { Transport } from './transport.ts';

export interface Sending {
  transport: Transport;
  object: LfsObject;
  file: string;
  watch: StallWatch;
  onProgress: OnProgress;
}

/** Streams the file to where the server wants it. Of a file that is not the object any more the end is never sent. */
export async function sendBody(sending: Sending, { url, headers }: Action): Promise<void> {
  const { transport, object, file, watch } = sending;
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  if (size !== object.sizeBytes) throw changed(object, `has ${size} bytes`);
  const response = await transport({
    url,
    method: 'PUT',
    headers: {
      'content-type': 'application/octet-stream',
      ...headers,
      'content-length': String(size),
    },
    // Read only as fast as it is taken; the stream of a Blob would come into memory whole.
    body: ReadableStream.from(checkedChunks(handle, sending)),
    signal: watch.signal,
  });
  await drain(response);
}

export async function verifySent(
  { transport, object, watch }: Sending,
  { url, headers }: Action,
): Promise<void> {
  watch.moved(0);
  const response = await transport({
    url,
    method: 'POST',
    headers: { ...headers, ...LFS_HEADERS },
    body: JSON.stringify({ oid: object.digest, size: object.sizeBytes }),
    signal: watch.signal,
  });
  await drain(response);
}

/** Counts as alive while the other side takes bytes; the last ones leave only behind the right digest. */
async function* checkedChunks(
  handle: FileHandle,
  { object, watch, onProgress }: Sending,
): AsyncGenerator<Uint8Array> {
  const { digest, sizeBytes } = object;
  const hash = createHash('sha256');
  let sent = 0;
  for await (const chunk of readChunks(handle, watch.signal)) {
    hash.update(chunk);
    sent += chunk.length;
    if (sent >= sizeBytes && (sent > sizeBytes || hash.digest('hex') !== digest))
      throw changed(object, 'holds other bytes');
    watch.moved(chunk.length);
    onProgress({ operation: 'upload', digest, bytes: sent, totalBytes: sizeBytes });
    yield chunk;
  }
}

/** The answer's words are not needed, its connection is. */
async function drain(response: Response): Promise<void> {
  await response.body?.cancel();
}

function changed({ digest, sizeBytes }: LfsObject, how: string): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_DIGEST',
    `The file of ${digest}, declared with ${sizeBytes} bytes, ${how} by now and was not uploaded; register it again.`,
    { details: { digest, sizeBytes } },
  );
}
