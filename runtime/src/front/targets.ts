import type { FindTarget, Target } from './protocol/http.ts';

/** Of addresses: more than the models that an instance serves, and bounded, since callers write them. */
const MOST_REMEMBERED = 4096;

/** Looks an address up in each protocol once, and remembers what it found. The argument is a URL as it came. */
export function rememberedTargets(targets: readonly FindTarget[]): (url: string) => Target | null {
  const known = new Map<string, Target | null>();
  return url => {
    const remembered = known.get(url);
    if (remembered !== undefined) return remembered;
    const found = findTarget(targets, pathOf(url));
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(url, found);
    return found;
  };
}

function findTarget(targets: readonly FindTarget[], path: string): Target | null {
  for (const find of targets) {
    const target = find(path);
    if (target !== null) return target;
  }
  return null;
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
