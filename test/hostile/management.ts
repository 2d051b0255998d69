import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'management API' });

/** Requests to the management API. */
export const management: HostileInputs = {
  A01: left('every route with every role, and with none'),
  A02: left("one's own promotion, approved by oneself"),
  A03: left('an approval of one head, when the head has moved'),
  A04: left('a rollback to a version that is held or unknown'),
  A05: left('the same button twice at once'),
  A06: left('a page of a billion entries, a forged cursor'),
  A07: left('wildcards and quotes in a search'),
  A08: left('a low role that reads, or edits, the audit trail'),
  A09: left('answers that could hold a secret'),
  A10: left('guessing at passwords'),
  A11: left('a request forged by another page'),
  A12: left('a foreign Host header'),
  A13: left('a freeze while an operation is under way'),
};
