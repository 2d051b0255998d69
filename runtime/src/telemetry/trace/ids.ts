import { randomFillSync } from 'node:crypto';

/** New identifiers, of as many hexadecimal digits as OpenTelemetry wants. */
export interface SpanIds {
  trace(): string;
  span(): string;
}

const POOL_BYTES = 4096;

export function spanIds(): SpanIds {
  const pool = Buffer.allocUnsafe(POOL_BYTES);
  let used = pool.length;
  const hex = (bytes: number): string => {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.toString('hex', used - bytes, used);
  };
  return { trace: () => hex(16), span: () => hex(8) };
}
