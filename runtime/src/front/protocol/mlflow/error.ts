import type { ErrorCode } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../../error.ts';
import type { Reply } from '../../../inference/call.ts';

/** MLflow's word for each code of ours that a caller can meet. What isn't named here is a fault of the server. */
const MLFLOW_CODES: Partial<Record<ErrorCode, string>> = {
  E_INPUT: 'BAD_REQUEST',
  E_BODY: 'BAD_REQUEST',
  E_BODY_TOO_LARGE: 'BAD_REQUEST',
  E_MEDIA_TYPE: 'BAD_REQUEST',
  E_METHOD: 'BAD_REQUEST',
  E_UNAUTHENTICATED: 'UNAUTHENTICATED',
  E_FORBIDDEN: 'PERMISSION_DENIED',
  E_NOT_FOUND: 'ENDPOINT_NOT_FOUND',
  E_MODEL_UNKNOWN: 'RESOURCE_DOES_NOT_EXIST',
  E_OVERLOADED: 'REQUEST_LIMIT_EXCEEDED',
  E_MODEL_NOT_READY: 'TEMPORARILY_UNAVAILABLE',
  E_ENGINE_DIED: 'TEMPORARILY_UNAVAILABLE',
  E_RUNTIME_UNREACHABLE: 'TEMPORARILY_UNAVAILABLE',
  E_ENGINE_TIMEOUT: 'DEADLINE_EXCEEDED',
  E_DEADLINE: 'DEADLINE_EXCEEDED',
};

/** MLflow's shape, with our code beside theirs. Never a stack trace. */
export function printError({ message, code, details }: SwitchbackError): Reply {
  const body = {
    error_code: MLFLOW_CODES[code] ?? 'INTERNAL_ERROR',
    message,
    code,
    ...(Object.keys(details).length > 0 && { details }),
  };
  return { headers: ['content-type', 'application/json'], body: JSON.stringify(body) };
}
