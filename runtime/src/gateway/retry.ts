import { SMALL_BYTES } from './limits.ts';

/** Of one request, the first among them. */
export const MOST_ATTEMPTS = 2;

/**
 * Why another runtime may do better than the one that answered. not-ready: it is about to serve this. died: its engine
 * did. unknown: it has not heard of this model or version, as it is when its snapshot is older than another's.
 */
export type Worth = 'not-ready' | 'died' | 'unknown';

/** Whether the body of an answer is looked at before it is passed on. `bodyBytes`: as stated. */
export function isLookedAt(status: number, bodyBytes: number): boolean {
  return (status === 503 || status === 404) && bodyBytes <= SMALL_BYTES;
}

/** `body`: in whichever protocol, a code of ours stands in it. Null: what was answered is what is to be said. */
export function worthAnother(status: number, body: Buffer): Worth | null {
  const code = codeOf(body);
  if (status === 404) return code === 'E_MODEL_UNKNOWN' ? 'unknown' : null;
  if (code === 'E_MODEL_NOT_READY') return 'not-ready';
  return code === 'E_ENGINE_DIED' ? 'died' : null;
}

/** Read, not searched for: messages repeat what callers wrote. */
function codeOf(body: Buffer): unknown {
  try {
    const said: unknown = JSON.parse(body.toString());
    return typeof said === 'object' && said !== null && 'code' in said ? said.code : null;
  } catch {
    return null;
  }
}
