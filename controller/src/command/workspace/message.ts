/** Git shows this much of a subject without folding it. */
const LONGEST_SUBJECT = 72;

/** `head (clause)tail`, the clause cut so that the whole stays readable in `git log --oneline`. */
export function subjectLine(head: string, clause: string | undefined, tail = ''): string {
  const room = LONGEST_SUBJECT - head.length - tail.length - ' ()'.length;
  if (clause === undefined || room < 8) return `${head}${tail}`;
  const short = clause.length <= room ? clause : `${clause.slice(0, room - 1).trimEnd()}…`;
  return `${head} (${short})${tail}`;
}
