import { type ErrorCode, printable } from '@switchback-ml/schemas';

/**
 * The one error class of the controller: a code from the list, a sentence for a person (what happened, to which
 * thing, what to do) and structured details. What it quotes from outside
 * can do nothing to a terminal. Never holds a secret or a URL with credentials.
 */
export class SwitchbackError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(printable(message), { cause: options.cause });
    this.name = 'SwitchbackError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
