import type { ErrorCode } from '@switchback-ml/schemas';

/** The one place that knows HTTP's numbers: how an answer, and how an error, is put on the wire. */
export const STATUS_OF_ANSWER = {
  found: 200,
  text: 200,
  file: 200,
  accepted: 202,
  done: 204,
  unchanged: 304,
  unready: 503,
} as const;

const STATUS_OF_ERROR: Partial<Record<ErrorCode, number>> = {
  E_INPUT: 400,
  E_BODY: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_METHOD: 405,
  E_CONFLICT: 409,
  E_HELD: 409,
  E_FROZEN: 409,
  E_NO_LAST_GOOD: 409,
  E_LFS_OBJECT: 502,
  E_LFS_DIGEST: 502,
  E_DISK_FULL: 507,
  E_LFS_UNREACHABLE: 503,
  E_LEASE_HELD: 503,
  E_LEDGER: 503,
  E_OVERLOADED: 503,
};

/** What is in no table is our fault. */
export function statusOfError(code: ErrorCode): number {
  return STATUS_OF_ERROR[code] ?? 500;
}

/** Refusals of the HTTP layer itself that need another number than their code has. */
export const STATUS_OF_REFUSAL: Readonly<Record<string, number>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 413,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 415,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};
