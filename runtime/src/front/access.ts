import { hash, timingSafeEqual } from 'node:crypto';
import { SwitchbackError } from '../error.ts';

/** Of the `Authorization` header; null where there is no bearer token. */
export function bearerToken(header: string | undefined): string | null {
  const [, token] = /^Bearer +([\x21-\x7e]{1,500})$/i.exec(header ?? '') ?? [];
  return token ?? null;
}

/** Whether the token is one whose SHA-256 is listed. Takes the same time wherever in the list it stands. */
export function isListed(token: string, sha256s: readonly string[]): boolean {
  const digest = hash('sha256', token, 'buffer');
  let isFound = false;
  for (const listed of sha256s) isFound = timingSafeEqual(digest, Buffer.from(listed, 'hex')) || isFound;
  return isFound;
}

/** Refuses anyone without a listed key: an empty list lets nobody in. */
export function authenticate(header: string | undefined, sha256s: readonly string[]): void {
  const token = bearerToken(header);
  if (token !== null && isListed(token, sha256s)) return;
  const message =
    token === null
      ? 'Send an inference key of this environment as "Authorization: Bearer <key>".'
      : 'This is no inference key of this environment; ask whoever runs it for one.';
  throw new SwitchbackError('E_UNAUTHENTICATED', message);
}

/** More than the keys of an environment, and bounded: each is as long as its header. */
const MOST_REMEMBERED = 1000;

/**
 * The same; but a header that was let in is not looked at again while the very same list holds. For callers who open
 * many connections: hashing their key for each is dearer than turning them away.
 */
export function rememberedAccess(): typeof authenticate {
  let by: readonly string[] = [];
  const admitted = new Set<string>();
  return (header, sha256s) => {
    if (by !== sha256s || admitted.size >= MOST_REMEMBERED) admitted.clear();
    by = sha256s;
    if (header !== undefined && admitted.has(header)) return;
    authenticate(header, sha256s);
    admitted.add(header!);
  };
}

export function sha256Of(text: string): string {
  return hash('sha256', text);
}
