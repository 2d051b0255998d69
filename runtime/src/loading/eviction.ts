/** Something awake, as the decision who is to sleep sees it. Times are by the clock's `elapsed`. */
export interface Sleeper {
  bytes: number;
  /** As `worth` says. */
  worth: number;
  /** Of its route's requests, in percent. */
  weight: number;
  /** Never to be put to sleep. */
  isPinned: boolean;
  /** Before this it isn't. */
  notBefore: number;
  awakeSince: number;
}

export interface Shortage {
  /** That have to be freed. */
  bytes: number;
  /** Only what is worth less has to make room. */
  below: number;
}

/** `all`: of those it was asked about, in the order in which they are to go. */
export type Eviction<Of extends Sleeper> =
  | { kind: 'sleep'; all: readonly Of[] }
  /** It can't be made now, nor before then; null: not by waiting for a time. */
  | { kind: 'wait'; until: number | null };

/**
 * Who has to sleep for others to have room: as few of the least worth as free that much, and no one where that is not
 * possible. Never who is pinned, and never who was woken or asked a moment ago (`notBefore`): else models that don't fit
 * together would only wake each other's engines, and answer nobody.
 */
export function evict<Of extends Sleeper>(
  { bytes, below }: Shortage,
  awake: readonly Of[],
  now: number,
): Eviction<Of> {
  const may = awake.filter(({ isPinned, worth }) => !isPinned && worth < below);
  const all: Of[] = [];
  let freed = 0;
  for (const one of may.filter(({ notBefore }) => notBefore <= now).toSorted(isLess)) {
    if (freed >= bytes) break;
    all.push(one);
    freed += one.bytes;
  }
  if (freed >= bytes) return { kind: 'sleep', all: withoutNeedless(all, freed - bytes) };
  return { kind: 'wait', until: soonest(may, bytes, now) };
}

/** Least worth first. What nobody asks for: the smaller share of traffic, then whoever woke last. */
function isLess(a: Sleeper, b: Sleeper): number {
  return a.worth - b.worth || a.weight - b.weight || b.awakeSince - a.awakeSince;
}

/** A large one that came last may have made smaller ones before it go for nothing: the most worth of those stay. */
function withoutNeedless<Of extends Sleeper>(all: readonly Of[], sparedBytes: number): Of[] {
  let spared = sparedBytes;
  const going = new Set(all);
  for (const one of all.toReversed()) {
    if (one.bytes > spared) continue;
    going.delete(one);
    spared -= one.bytes;
  }
  return [...going];
}

/** When enough of them may go. */
function soonest(may: readonly Sleeper[], bytes: number, now: number): number | null {
  let freed = 0;
  for (const one of may.toSorted((a, b) => a.notBefore - b.notBefore)) {
    freed += one.bytes;
    if (freed >= bytes) return Math.max(now, one.notBefore);
  }
  return null;
}
