import type { Carrier } from '../served.ts';

/** What a caller said of the trace that its request belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** Of the caller's own span; 16 hexadecimal digits. */
  spanId: string;
  /** Whether the caller records the trace. */
  isSampled: boolean;
}

/** As W3C Trace Context has it. A later version may say more behind what is known; `ff` is none. */
const PATTERN = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const LONGEST = 200;

/** Of the `traceparent` header; null: there is none, or none that is valid. */
export function readTraceparent(carrier: Carrier): TraceParent | null {
  const text = carrier.header('traceparent');
  return text === undefined ? null : parseTraceparent(text);
}

export function parseTraceparent(text: string): TraceParent | null {
  if (text.length > LONGEST) return null;
  const [, version, traceId, spanId, flags, more] = PATTERN.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
