/** Characters of a header's value that count; a longer value is told from others by as many. */
const LONGEST = 200;

/*
 * FNV-1a with 32 bits (Fowler, Noll, Vo), spread by the finalizer of MurmurHash3 (Appleby). Not for secrets: what is
 * asked of it is that each process finds the same point, and that points are even and owe nothing to other salts.
 */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Where the points of one route begin, once for the route. */
export function stickySalt(text: string): number {
  return spread(hash(text, FNV_OFFSET));
}

/** Where this value stands in [0, 1), for ever the same under one salt. */
export function stickyPoint(value: string, salt: number): number {
  return (spread(hash(value, salt) ^ salt) >>> 0) / 2 ** 32;
}

function hash(text: string, from: number): number {
  const length = Math.min(text.length, LONGEST);
  let state = from;
  for (let index = 0; index < length; index++) state = Math.imul(state ^ text.charCodeAt(index), FNV_PRIME);
  return state;
}

/** Every bit of the state comes to bear on every bit of the outcome. */
function spread(state: number): number {
  let bits = state;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
