import type { Backend } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../error.ts';
import type { Reply } from './call.ts';
import type { Journey } from './journey.ts';

/** What became of a request. `backend` is the one that answered, or failed last; null when it did not come to one. */
export type InferenceOutcome = { backend: Backend | null; journey: Journey } & (
  | { kind: 'answered'; reply: Reply }
  /** `error` is why the route's declared answer was given instead of one of a revision. */
  | { kind: 'fallback'; reply: Reply; error: SwitchbackError }
  | { kind: 'failed'; error: SwitchbackError }
);

/**
 * An engine was lost with the request aboard: the next one of the same revision may well do better. Not so where an
 * engine had no memory for it (E_ENGINE_MEMORY): it is still there and would get the same again, at a second price.
 */
export const LOST_ENGINE: ReadonlySet<string> = new Set(['E_ENGINE_DIED', 'E_ENGINE_TIMEOUT']);

/** Whether another engine of the same revision may be given the request, whose first one failed with this. */
export function deservesAnotherEngine({ code, details }: SwitchbackError): boolean {
  // With nobody else aboard it is the request that takes too long, and it would cost the next engine as well.
  return LOST_ENGINE.has(code) && details['isAlone'] !== true;
}
