import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { SwitchbackError } from '../../error.ts';
import { retryAfterOf, statusOf } from '../status.ts';

/** By the HTTP status of the same error, so that there is one table of codes. */
const BY_HTTP_STATUS: Partial<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** Clients refuse more than 8 KiB of metadata, and a message takes up to nine bytes a character there. */
const MOST_MESSAGE_CHARS = 500;
const MOST_DETAILS_BYTES = 1500;

/**
 * An error in gRPC's terms: `switchback-code` and, where they fit, `switchback-details-bin` (JSON) go along. `by`: who
 * failed; null: it did not come to anybody.
 */
export function refusal(error: SwitchbackError, by: Metadata | null): StatusObject {
  const metadata = by === null ? new Metadata() : by.clone();
  metadata.set('switchback-code', error.code);
  const details = Buffer.from(JSON.stringify(error.details));
  if (Object.keys(error.details).length > 0 && details.length <= MOST_DETAILS_BYTES)
    metadata.set('switchback-details-bin', details);
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== null) {
    metadata.set('retry-after-ms', String(retryAfterMs));
    // The same for clients with a retry policy, which wait that long by themselves.
    metadata.set('grpc-retry-pushback-ms', String(retryAfterMs));
  }
  return {
    code: BY_HTTP_STATUS[statusOf(error.code)] ?? status.INTERNAL,
    // Half a surrogate pair, as is left where text was cut, can't be sent.
    details: error.message.slice(0, MOST_MESSAGE_CHARS).toWellFormed(),
    metadata,
  };
}

function retryAfterMsOf(error: SwitchbackError): number | null {
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs === 'number') return Math.max(1, Math.ceil(retryAfterMs));
  const seconds = retryAfterOf(error);
  return seconds === undefined ? null : seconds * 1000;
}
