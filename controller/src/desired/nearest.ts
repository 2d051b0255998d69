/** Distances are dear, so only so many candidates are measured: those that are alike at first sight. */
const MOST_MEASURED = 100;
const LONGEST = 64;

/** The candidate within a small edit distance of a mistyped word, or null. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const said = word.slice(0, LONGEST);
  const allowed = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = allowed + 1;
  let measured = 0;
  for (const candidate of candidates) {
    if (candidate === word) return candidate;
    if (measured === MOST_MEASURED || !isLike(said, candidate, allowed)) continue;
    measured += 1;
    const distance = editDistance(said, candidate.slice(0, LONGEST));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** What to do about a name that is not there. */
export function hint(near: string | null, otherwise: string): string {
  return near === null ? otherwise : `Did you mean "${near}"?`;
}

/** Cheap and coarse: few slips of the pen change the length much, or leave less than half of both ends. */
function isLike(word: string, candidate: string, allowed: number): boolean {
  const shorter = Math.min(word.length, candidate.length);
  if (Math.abs(word.length - Math.min(candidate.length, LONGEST)) > allowed) return false;
  let start = 0;
  while (start < shorter && word[start] === candidate[start]) start += 1;
  let end = 0;
  while (end < shorter - start && word.at(-1 - end) === candidate.at(-1 - end)) end += 1;
  return 2 * (start + end) >= shorter;
}

/** Levenshtein's distance with neighbours changed over as one slip, a row at a time. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwapped ? (before[j - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
