import type { HttpProtocol, Target } from './http.ts';

/**
 * Where an address leads whose path names these, as they stand there: what is escaped in it, such as the `+` of a
 * label, means what it stands for. Null: an escape is none.
 */
export function targetOf(
  protocol: HttpProtocol,
  model: string | undefined,
  version: string | undefined,
): Target | null {
  try {
    return { protocol, model: unescaped(model), version: unescaped(version) };
  } catch {
    return null;
  }
}

function unescaped(segment: string | undefined): string | null {
  return segment === undefined ? null : decodeURIComponent(segment);
}
