import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'forges and webhooks' });

/** What comes to the address that forges call. */
export const webhooks: HostileInputs = {
  W01: left('no signature, or one that is wrong, short, upper case, empty, SHA-1 alone'),
  W02: left('the signature of the same JSON, written differently'),
  W03: left('a good signature over what is no JSON object, or over more than the limit'),
  W04: left('one delivery a hundred times at once'),
  W05: left('a delivery again after a week'),
  W06: left('pushes out of order'),
  W07: left('an event of another repository, another branch, a branch that is gone'),
  W08: left('addresses inside the network in the payload'),
  W09: left('two secrets while one replaces the other'),
  W10: left('a thousand deliveries a second'),
  W11: left('tokens that must be compared in constant time'),
  W12: left('a ping, an event nobody knows'),
};
