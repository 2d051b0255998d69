/** Of one request, the first among them. */
export const MOST_ATTEMPTS = 2;

/** In the body of an answer, whichever protocol it is in. */
export const NOT_READY = 'E_MODEL_NOT_READY';
const ENGINE_DIED = 'E_ENGINE_DIED';

/** Whether another runtime may do better than the one that answered 503 with this body. */
export function isWorthAnother(body: Buffer): boolean {
  return body.includes(NOT_READY) || body.includes(ENGINE_DIED);
}
