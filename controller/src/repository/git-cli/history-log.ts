import type { CommitSha } from '@switchback-ml/schemas';
import type { HistoryEntry } from '../repository.ts';
import { LOG_FORMAT, parseHistory } from './raw.ts';
import type { Git } from './run.ts';

const TIMEOUT_MS = 180_000;
const LOG = [
  ...['log', '--first-parent', '--diff-merges=first-parent', '--raw', '-z', '--no-renames', '--no-abbrev'],
  ...['--root', '--reverse', '--no-color', '--no-notes', '--no-ext-diff', '--encoding=UTF-8'],
  `--format=${LOG_FORMAT}`,
];

/** First-parent commits after `from`, oldest first, each with what it changed. */
export async function historyLog(
  git: Git,
  from: CommitSha | null,
  to: CommitSha,
  signal: AbortSignal,
): Promise<HistoryEntry[]> {
  const range = from === null ? to : `${from}..${to}`;
  const { stdout } = await git.run({
    args: [...LOG, '--end-of-options', range, '--'],
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  return parseHistory(stdout);
}
