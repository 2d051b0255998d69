import type { HistoryItem } from '../../command/index.ts';
import { clockTime } from './age.ts';
import { plain, table } from './table.ts';

/** Newest first: when, which commit, which version, what became of it. */
export function historyText(items: readonly HistoryItem[], now: number): string {
  if (items.length === 0) return 'git knows of no release there.\n';
  const rows = items.map(({ at, commit, kind, version, outcome, author, subject }) => [
    clockTime(at, now),
    commit.slice(0, 7),
    version ?? 'removed',
    kind === 'record' ? (outcome ?? 'settled') : 'released',
    plain(author ? `${subject} (${author})` : subject),
  ]);
  return `${table(rows)}\n`;
}
