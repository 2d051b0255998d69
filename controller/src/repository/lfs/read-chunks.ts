import type { FileHandle } from 'node:fs/promises';

const CHUNK = 256 * 1024;

/** A file from a byte on. Each chunk is the reader's own. */
export async function* readChunks(handle: FileHandle, signal: AbortSignal, from = 0): AsyncGenerator<Buffer> {
  for (let position = from; ; ) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(CHUNK), { position });
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
