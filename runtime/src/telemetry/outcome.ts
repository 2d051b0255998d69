/**
 * How a request ended. refused: the caller's doing. shed: not begun, for want of room or time. failed: ours. fallback:
 * answered with what the route declares.
 */
export const OUTCOMES = ['answered', 'fallback', 'refused', 'shed', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const CALLERS = new Set([
  'E_INPUT',
  'E_BODY',
  'E_BODY_TOO_LARGE',
  'E_MEDIA_TYPE',
  'E_METHOD',
  'E_NOT_FOUND',
  'E_MODEL_UNKNOWN',
  'E_UNAUTHENTICATED',
  'E_FORBIDDEN',
]);

/** By our code; null: answered. */
export function outcomeOf(code: string | null, from: string): Outcome {
  if (from === 'fallback') return 'fallback';
  if (code === null) return 'answered';
  if (code === 'E_OVERLOADED' || code === 'E_DEADLINE') return 'shed';
  return CALLERS.has(code) ? 'refused' : 'failed';
}
