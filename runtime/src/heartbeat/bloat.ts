/** Memory of an engine beyond what it held when it was blank. */
export interface Footprint {
  blankBytes: number;
  /** Once loaded and warm: what the graph needs by itself. */
  ownBytes: number;
}

/** Of the limit: beyond it, the next large batch is likely to be refused for want of memory. */
const NEAR_LIMIT = 0.9;
/** Of the limit, that an engine must have grown by: a graph that is this large by itself would only be so again. */
const LEAST_GROWTH = 0.1;
/** Far beyond what it was: several times its own size, and half of the limit besides. */
const FAR_TIMES = 4;
const FAR_OF_LIMIT = 0.5;

/**
 * Why an engine counts as bloated, in one clause; null when it doesn't. The limit itself is on the data that a
 * process may map, of which it never holds more than that: what is resident is what it really takes from others.
 * Growth alone is no bloat, since ONNX Runtime keeps the memory of the largest batch it has met.
 */
export function bloat(
  { blankBytes, ownBytes }: Footprint,
  residentBytes: number,
  limitBytes: number,
): string | null {
  const heldBytes = residentBytes - blankBytes;
  const nearLimit = Math.max(limitBytes * NEAR_LIMIT, ownBytes + limitBytes * LEAST_GROWTH);
  const farBeyond = Math.max(ownBytes * FAR_TIMES, ownBytes + limitBytes * FAR_OF_LIMIT);
  if (heldBytes <= Math.min(nearLimit, farBeyond)) return null;
  return `it held ${mebibytes(heldBytes)} MiB, after ${mebibytes(ownBytes)} MiB when it was warm, and may hold ${mebibytes(limitBytes)} MiB`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
