export type ContentCoding = 'gzip' | 'deflate';

/** How one client takes its answers. */
export interface Accepted {
  /** Null: as they are. */
  coding: ContentCoding | null;
  /** No answer shorter than this concerns us: in bytes, or in characters of one that is text. */
  fromBytes: number;
  /** The coding is the only one named: somebody asked for it, rather than a library out of habit. */
  isAskedFor: boolean;
}

/**
 * From here on compressing may pay. zlib at level 1 through the thread pool, on the 2-core machine of the benchmarks,
 * beside what a line of 1 Gbit/s gains: 2 KB of floats in JSON take 0.10 ms and gain 0.01, 8 KB 0.14 and 0.04, 16 KB
 * 0.20 and 0.07, 1 MB 10 and 4.6; labels in JSON, of which less is left, 0.06 and 0.06 at 8 KB, 0.08 and 0.12 at
 * 16 KB. On a line of 100 Mbit/s it pays from 16 KB on for all text, by 3 to 15 times.
 */
export const FROM_BYTES = 16 * 1024;

/** In the order in which we prefer them. */
const CODINGS: readonly ContentCoding[] = ['gzip', 'deflate'];
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip' };
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/**
 * Reads an `Accept-Encoding` by RFC 9110 §12.5.3; undefined where there is none. A client that takes none of our
 * codings and no identity either gets identity, as if there had been no such header (§12.4.1).
 */
export function acceptedOf(header: string | undefined): Accepted {
  const weights = weightsOf(header ?? '');
  const any = weights.get('*');
  const weightOf = (name: string): number => weights.get(name) ?? any ?? 0;
  const [first, second] = CODINGS as readonly [ContentCoding, ContentCoding];
  const best = weightOf(second) > weightOf(first) ? second : first;
  const weight = weightOf(best);
  // Unnamed it is acceptable, and ours to choose; named, it may be preferred.
  const identity = weights.get('identity') ?? (any === 0 ? 0 : null);
  if (weight === 0 || weight < (identity ?? 0)) return AS_THEY_ARE;
  const named = [...weights].filter(([name, itsWeight]) => name !== 'identity' && itsWeight > 0);
  return {
    coding: best,
    fromBytes: identity === 0 ? 0 : FROM_BYTES,
    isAskedFor: identity === 0 || (named.length === 1 && named[0]![0] === best),
  };
}

const AS_THEY_ARE: Accepted = { coding: null, fromBytes: FROM_BYTES, isAskedFor: false };

/** By name; what is no coding with a weight is left out, and of two of one name the first counts. */
function weightsOf(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of header.split(',')) {
    const [coding = '', weight, ...more] = member.split(';').map(part => part.trim());
    const name = ALIASES[coding.toLowerCase()] ?? coding.toLowerCase();
    const [, q] = WEIGHT.exec((weight ?? 'q=1').replace(/\s*=\s*/, '=')) ?? [];
    if (name !== '' && q !== undefined && more.length === 0 && !weights.has(name))
      weights.set(name, Number(q));
  }
  return weights;
}

/** Of headers, and of characters in one: bounded, since clients write them. */
const MOST_REMEMBERED = 256;
const MOST_CHARS = 200;

/** Reads each header once: clients send few different ones, and mostly the same again. */
export function rememberedAccepted(): (header: string | undefined) => Accepted {
  const known = new Map<string, Accepted>();
  let last: string | undefined;
  let lastRead = AS_THEY_ARE;
  return header => {
    if (header === last) return lastRead;
    lastRead = (header === undefined ? AS_THEY_ARE : known.get(header)) ?? acceptedOf(header);
    last = header;
    if (known.size >= MOST_REMEMBERED) known.clear();
    if (header !== undefined && header.length <= MOST_CHARS) known.set(header, lastRead);
    return lastRead;
  };
}
