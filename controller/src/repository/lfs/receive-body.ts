import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../repository.ts';
import { tooLong } from './disk-error.ts';
import { transient } from './retry.ts';
import type { StallWatch } from './stall.ts';
import { unreachable } from './transport.ts';

export interface Transfer {
  object: LfsObject;
  write: (chunk: Uint8Array) => Promise<void>;
  /** How many bytes were written, by this response or one before it. */
  progress: { bytes: number };
  watch: StallWatch;
}

/** Writes what is missing of the object and never more than it declares. A cut is transient: ask for the rest. */
export async function receiveBody(response: Response, transfer: Transfer): Promise<void> {
  const { object, write, progress, watch } = transfer;
  // A server without ranges starts over; what is there already is passed by.
  let position = response.status === 206 ? rangeStart(response, progress.bytes) : 0;
  for await (const chunk of chunksOf(response, watch)) {
    const isNew = chunk.subarray(Math.max(0, progress.bytes - position));
    position += chunk.length;
    if (position > object.sizeBytes) throw tooLong(object);
    if (isNew.length === 0) continue;
    await write(isNew);
    progress.bytes = position;
  }
  if (position < object.sizeBytes)
    throw transient(
      `The LFS server ended after ${position} of the ${object.sizeBytes} bytes of ${object.digest}.`,
    );
}

async function* chunksOf(response: Response, watch: StallWatch): AsyncGenerator<Uint8Array> {
  const reader = (response.body ?? ReadableStream.from<Uint8Array>([])).getReader();
  try {
    for (;;) {
      // Whoever keeps the bytes may be slow; that is not the server's fault.
      watch.moved(0);
      const chunk = await read(reader, watch.signal);
      if (chunk === null) return;
      watch.moved(chunk.length);
      yield chunk;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  try {
    const { done, value } = await reader.read();
    return done ? null : value;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(cause);
  }
}

function rangeStart(response: Response, asked: number): number {
  const start = Number(/^bytes (\d{1,15})-/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (start === asked) return start;
  throw new SwitchbackError(
    'E_LFS_OBJECT',
    'The LFS server answers another range of bytes than was asked for; its object can not be used.',
  );
}
