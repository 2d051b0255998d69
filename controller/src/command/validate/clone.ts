import { tmpdir } from 'node:os';
import { type BlobId, CommitSha } from '@switchback-ml/schemas';
import type { RepositoryHistory } from '../../desired/desired-state.ts';
import { BlobReader } from '../../repository/git-cli/blob-reader.ts';
import { gitEnvironment } from '../../repository/git-cli/environment.ts';
import { historyLog } from '../../repository/git-cli/history-log.ts';
import { type Git, gitRunner } from '../../repository/git-cli/run.ts';
import { extendHistory, hasLastingText, NO_HISTORY } from '../../repository/history.ts';
import { readFile } from '../../repository/read-file.ts';
import type { HistoryEntry } from '../../repository/repository.ts';
import { ask } from '../doctor/program.ts';

/** What the clone around a working folder knows of its past. */
export interface FolderPast {
  head: CommitSha;
  history: RepositoryHistory;
  /** Commits that the branch it is pushed to does not have; empty where it is pushed to none. */
  unpushed: ReadonlySet<CommitSha>;
  /** A part of the history was left behind: what came before it looks as if it came with it. */
  isShallow: boolean;
}

/** Reads only, and only this clone; null where there is no commit, or no git at all. */
export async function readPast(folder: string, signal: AbortSignal): Promise<FolderPast | null> {
  const said = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await ask(['git', '-C', folder, ...args], { signal });
    return code === 0 ? stdout.replace(/\n$/, '') : '';
  };
  const directory = await said('rev-parse', '--absolute-git-dir');
  const head = CommitSha.safeParse(await said('rev-parse', '--verify', '--quiet', 'HEAD^{commit}'));
  if (directory === '' || !head.success) return null;
  const root = await said('rev-parse', '--show-prefix');
  const upstream = CommitSha.safeParse(
    await said('rev-parse', '--verify', '--quiet', '@{upstream}^{commit}'),
  );

  const environment = gitEnvironment({ kind: 'file', home: tmpdir(), extra: {} });
  const git = gitRunner({ directory, home: tmpdir(), environment, secrets: [] });
  const entries = (await historyLog(git, null, head.data, signal)).map(entry => below(root, entry));
  const unpushed = upstream.success ? await historyLog(git, upstream.data, head.data, signal) : [];
  return {
    head: head.data,
    history: extendHistory(NO_HISTORY, entries, await textsOf(git, entries, signal)),
    unpushed: new Set(unpushed.map(({ commit }) => commit)),
    isShallow: (await said('rev-parse', '--is-shallow-repository')) === 'true',
  };
}

/** Paths from the model repository's own folder; those beside it count for nothing. */
function below(root: string, entry: HistoryEntry): HistoryEntry {
  const changes = entry.changes.flatMap(change =>
    change.path.startsWith(root) ? [{ ...change, path: change.path.slice(root.length) }] : [],
  );
  return { ...entry, changes };
}

/** Of versions and releases, what they were: the rest is compared with nothing former. */
async function textsOf(
  git: Git,
  entries: readonly HistoryEntry[],
  signal: AbortSignal,
): Promise<Map<BlobId, string>> {
  await using blobs = new BlobReader(git);
  const source = {
    readBlob: (blob: BlobId, limitBytes: number, until: AbortSignal) => blobs.read(blob, limitBytes, until),
  };
  const texts = new Map<BlobId, string>();
  for (const { path, blob, mode } of entries.flatMap(({ changes }) => changes)) {
    if (blob === null || texts.has(blob) || !hasLastingText(path)) continue;
    const file = await readFile(source, { path, blob, mode }, signal);
    if (file.kind === 'manifest') texts.set(blob, file.text);
  }
  return texts;
}
