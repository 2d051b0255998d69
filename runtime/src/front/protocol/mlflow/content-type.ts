import { SwitchbackError } from '../../../error.ts';

export type ContentKind = 'json' | 'csv';

const KINDS: ReadonlyMap<string, ContentKind> = new Map([
  ['application/json', 'json'],
  ['text/csv', 'csv'],
]);

/** Of a `Content-Type` header; null for everything that this protocol does not take. */
export function contentKind(header: string | undefined): ContentKind | null {
  const [type = '', ...parameters] = (header ?? '').split(';').map(part => part.trim().toLowerCase());
  return parameters.every(isUtf8Charset) ? (KINDS.get(type) ?? null) : null;
}

/** Throws E_MEDIA_TYPE for everything that this protocol does not take. */
export function requireContentKind(header: string | undefined): ContentKind {
  const kind = contentKind(header);
  if (kind !== null) return kind;
  const got = header === undefined ? 'nothing' : JSON.stringify(header.slice(0, 100));
  const message = `Content-Type must be application/json or text/csv, in UTF-8 and with no other parameter; got ${got}.`;
  throw new SwitchbackError('E_MEDIA_TYPE', message, { details: { expected: [...KINDS.keys()], got } });
}

function isUtf8Charset(parameter: string): boolean {
  return parameter === 'charset=utf-8' || parameter === 'charset="utf-8"';
}
