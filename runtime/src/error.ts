import { type ErrorCode, printable } from '@switchback-ml/schemas';

/**
 * The one error class of the runtime: a code from the list, a sentence for a person (what happened, to which
 * thing, what to do) and structured details. What it quotes from outside
 * can do nothing to a terminal. Never holds a secret or a path of the machine.
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

/** Anything thrown, as our class: a surprise keeps its message and becomes E_INTERNAL unless told otherwise. */
export function asSwitchbackError(error: unknown, code: ErrorCode = 'E_INTERNAL'): SwitchbackError {
  return error instanceof SwitchbackError
    ? error
    : new SwitchbackError(code, messageOf(error), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
