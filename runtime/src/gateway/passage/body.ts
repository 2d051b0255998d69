import type { IncomingMessage } from 'node:http';
import { SwitchbackError } from '../../error.ts';
import { LARGEST_BODY_BYTES } from '../../front/limits.ts';
import { MOST_HELD_BYTES } from '../limits.ts';

/** Counts bytes that are held for a request; given back when it is over. */
export class Reservation {
  readonly #held: { bytes: number };
  #bytes = 0;

  constructor(held: { bytes: number }) {
    this.#held = held;
  }

  /** Throws E_OVERLOADED. */
  add(bytes: number): void {
    if (this.#held.bytes + bytes > MOST_HELD_BYTES)
      throw new SwitchbackError(
        'E_OVERLOADED',
        'Too many large requests are under way. Try again in a moment.',
      );
    this.#held.bytes += bytes;
    this.#bytes += bytes;
  }

  free(): void {
    this.#held.bytes -= this.#bytes;
    this.#bytes = 0;
  }
}

/** The whole body as it came. Throws E_BODY_TOO_LARGE and E_OVERLOADED without reading on, E_BODY. */
export async function collectBody(request: IncomingMessage, reservation: Reservation): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LARGEST_BODY_BYTES) return reject(tooLarge());
      try {
        reservation.add(chunk.length);
      } catch (error) {
        return reject(error);
      }
      chunks.push(chunk);
    });
    request.on('end', resolve);
    request.on('error', () => reject(cutOff())).on('close', () => reject(cutOff()));
  }).finally(() => request.removeAllListeners('data').removeAllListeners('end').pause());
  return Buffer.concat(chunks, bytes);
}

function tooLarge(): SwitchbackError {
  const message = `The body is larger than ${LARGEST_BODY_BYTES} bytes: send fewer rows at a time, or binary tensors.`;
  return new SwitchbackError('E_BODY_TOO_LARGE', message, { details: { mostBytes: LARGEST_BODY_BYTES } });
}

function cutOff(): SwitchbackError {
  return new SwitchbackError('E_BODY', 'The body did not arrive whole.');
}
