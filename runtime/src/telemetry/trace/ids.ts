import { randomBytes, randomFillSync } from 'node:crypto';
import type { SpanLink } from './trace.ts';

export interface SpanIds {
  trace(): string;
  span(): string;
  /** Of a batch, by its number: the same for everybody who asks, and no other's. */
  batch(number: number): SpanLink;
}

const POOL_BYTES = 4096;

export function spanIds(): SpanIds {
  const pool = Buffer.allocUnsafe(POOL_BYTES);
  const instance = randomBytes(12).toString('hex');
  let used = pool.length;
  const hex = (bytes: number): string => {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.toString('hex', used - bytes, used);
  };
  return {
    trace: () => hex(16),
    span: () => hex(8),
    batch(number) {
      const digits = number.toString(16).padStart(16, '0').slice(-16);
      return { traceId: instance.slice(0, 16) + digits, spanId: instance.slice(16) + digits.slice(-8) };
    },
  };
}
