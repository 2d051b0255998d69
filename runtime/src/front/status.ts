import type { ErrorCode } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../error.ts';

/** The only place that knows which HTTP status a code of ours has. What isn't named here is a fault of ours. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  E_INPUT: 400,
  E_BODY: 400,
  E_BODY_TOO_LARGE: 413,
  E_MEDIA_TYPE: 415,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_MODEL_UNKNOWN: 404,
  E_METHOD: 405,
  E_OVERLOADED: 429,
  E_MODEL_NOT_READY: 503,
  E_ENGINE_DIED: 503,
  E_RUNTIME_UNREACHABLE: 503,
  E_ENGINE_TIMEOUT: 504,
  E_DEADLINE: 504,
};

const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  E_OVERLOADED: 1,
  E_MODEL_NOT_READY: 1,
  E_ENGINE_DIED: 1,
};

export function statusOf(code: ErrorCode): number {
  return STATUSES[code] ?? 500;
}

/** In seconds; what knows better when it will be back says so in `details.retryAfterMs`. */
export function retryAfterOf({ code, details }: SwitchbackError): number | undefined {
  const { retryAfterMs } = details;
  const known = typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : undefined;
  return known ?? RETRY_AFTER_SECONDS[code];
}
