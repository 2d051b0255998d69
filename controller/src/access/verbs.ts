/** Everything that can be done over HTTP, in one closed list. */
export const VERBS = [
  'read-health',
  'read-metrics',
  'read-description',
  'read-status',
  'read-models',
  'read-history',
  'read-operations',
  'read-events',
  'rollback',
  'abort',
  'pause',
  'resume',
  'accept-rewrite',
  'nudge',
  'pull-snapshot',
  'pull-artifact',
] as const;
export type Verb = (typeof VERBS)[number];

export const TOKEN_KINDS = ['operator', 'runtime'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Who asks: the holder of a token, or anybody who reaches the port. */
export type Caller = TokenKind | 'anybody';

/** What anybody may do tells that the process works and how to talk to it, and nothing of any model. */
const GRANTED: Record<Caller, ReadonlySet<Verb>> = {
  anybody: new Set<Verb>(['read-health', 'read-metrics', 'read-description']),
  operator: new Set<Verb>([
    'read-status',
    'read-models',
    'read-history',
    'read-operations',
    'read-events',
    'rollback',
    'abort',
    'pause',
    'resume',
    'accept-rewrite',
    'nudge',
  ]),
  runtime: new Set<Verb>(['pull-snapshot', 'pull-artifact']),
};

/** Denies what is not granted: to the caller itself, or to anybody. */
export function may(caller: Caller, verb: Verb): boolean {
  return GRANTED[caller].has(verb) || GRANTED.anybody.has(verb);
}
