import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'sign-on and tokens' });

/** Signed tokens and who they say they are. */
export const tokens: HostileInputs = {
  J01: left('the algorithm "none"'),
  J02: left('the public key used as a shared secret'),
  J03: left('a key, or where to fetch one, in the header'),
  J04: left('a critical extension nobody knows'),
  J05: left('a key id that is a path, a query, ten kilobytes'),
  J06: left('no expiry, one far away, times in the future, skew'),
  J07: left('another issuer, another audience, a list of them'),
  J08: left('a token of another type'),
  J09: left('keys that are too short'),
  J10: left('an encrypted token, a compressed one'),
  J11: left('a claim twice'),
  J12: left('a token that was revoked, a person or role that was removed'),
  J13: left('a key set that is away, slow, vast, wrong, or changes'),
  J14: left('a clock five minutes off'),
  J15: left('a token in the address'),
  J16: left('a token of one environment used in another'),
};
