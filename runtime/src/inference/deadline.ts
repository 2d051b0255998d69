import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import type { DecodedRequest, InferenceCall } from './call.ts';

/** As the clock's `elapsed()`: the sooner of what the body and the header say; never where neither says anything. */
export function deadlineOf(
  { message, arrivedAt }: Pick<InferenceCall, 'message' | 'arrivedAt'>,
  { timeoutMs }: Pick<DecodedRequest, 'timeoutMs'>,
): number {
  const stated = readTimeoutMs(message.header(TIMEOUT_HEADER));
  if (stated === null) return timeoutMs === null ? Number.POSITIVE_INFINITY : arrivedAt + timeoutMs;
  return arrivedAt + (timeoutMs === null ? stated : Math.min(stated, timeoutMs));
}

/** Null: none was named, or what was named is no time. */
export function readTimeoutMs(value: string | undefined): number | null {
  return value !== undefined && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : null;
}
