import { SwitchbackError } from '../error.ts';
import { type HttpAnswer, refusal } from '../front/answering.ts';
import type { Target } from '../front/protocol/http.ts';
import { v2 } from '../front/protocol/v2/index.ts';

const RETRY_AFTER_MS = 1000;

const UNKNOWN: Target = { protocol: v2, model: null, version: null };

/** An error of the gateway's own, in the shape of the protocol that was spoken to; null: of none that is known. */
export function refuse(target: Target | null, error: SwitchbackError): HttpAnswer {
  return refusal(target ?? UNKNOWN, error);
}

export function nobodyThere(environment: string): SwitchbackError {
  return unreachable(`No runtime of environment ${environment} can be reached. Try again in a moment.`);
}

export function lostOnTheWay(environment: string): SwitchbackError {
  return unreachable(
    `The runtime of environment ${environment} that had this request was lost, and it could not be sent to another. Try again.`,
  );
}

export function allBusy(environment: string): SwitchbackError {
  const message = `Every runtime of environment ${environment} has all the requests that it may be given, and too many wait. Try again in a moment.`;
  return new SwitchbackError('E_OVERLOADED', message);
}

export function tooLate(timeoutMs: number): SwitchbackError {
  return new SwitchbackError('E_DEADLINE', `There was no answer within ${timeoutMs} ms.`, {
    details: { timeoutMs },
  });
}

function unreachable(message: string): SwitchbackError {
  return new SwitchbackError('E_RUNTIME_UNREACHABLE', message, { details: { retryAfterMs: RETRY_AFTER_MS } });
}
