import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../error.ts';
import { STATUS_OF_REFUSAL, statusOfError } from './status-codes.ts';

/** RFC 9457. `code` is what a program looks at, `detail` what a person reads. */
export const ProblemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
});
export type ProblemDetails = z.infer<typeof ProblemDetails>;

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Says of a surprise only that there was one: what it holds is for the log. */
export function problemOf(error: unknown): ProblemDetails {
  if (error instanceof SwitchbackError) return problem(error.code, error.message, statusOfError(error.code));
  const { code = '', statusCode = 500 } = error as { code?: unknown; statusCode?: unknown };
  const status = STATUS_OF_REFUSAL[String(code)] ?? Number(statusCode);
  if (status >= 400 && status < 500) return problem('E_BODY', refusalOf(status), status);
  const detail = 'The controller met an error of its own. Its log says more; asking again may help.';
  return problem('E_INTERNAL', detail, 500);
}

function refusalOf(status: number): string {
  if (status === 408) return 'The request did not arrive in time. Send it whole, and again.';
  if (status === 431) return 'The headers are larger than this server takes. Send fewer of them.';
  if (status === 413) return 'The body is larger than this address takes. Send only what is documented.';
  if (status === 415) return 'The body must be JSON: send it with Content-Type: application/json.';
  return "The request can't be read. Send a JSON object, and nothing that is not documented.";
}

function problem(code: ErrorCode, detail: string, status: number): ProblemDetails {
  return {
    type: `urn:switchback:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
  };
}
