import type { BlobId, CommitSha } from '@switchback-ml/schemas';
import type { RepositoryFile } from '../desired/desired-state.ts';
import { SwitchbackError } from '../error.ts';
import { extendHistory, hasLastingText, isManifestPath, NO_HISTORY } from './history.ts';
import { isOurs, readFile } from './read-file.ts';
import type { Change, CommitSource, HistoryEntry } from './repository.ts';
import type { RepositoryView } from './view.ts';

export interface Reader {
  repository: CommitSource;
  /** Folder of the git repository that holds the model repository; empty: its top. */
  root: string;
}

/** What a new head says; `at` is the caller's to set. */
export type Advanced = Pick<RepositoryView, 'head' | 'subject' | 'files' | 'history'>;
type Before = Pick<RepositoryView, 'head' | 'files' | 'history'>;
type Written = Change & { blob: BlobId };

/** Reads under way at once: enough to keep git busy, few enough to hold little in memory. */
const READS_AT_ONCE = 32;

/** The view at `head`, by reading what changed since `before` and nothing else. */
export async function advance(
  reader: Reader,
  before: Before,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Advanced> {
  const { repository } = reader;
  // Side by side, since each is a process of its own.
  const [, differing, { base, entries }] = await Promise.all([
    before.head === null || checkDescends(repository, before.head, head, 'The branch', signal),
    repository.diff(before.head, head, signal),
    newEntries(reader, before, head, signal),
  ]);
  const changes = within(reader.root, differing);
  const files = new Map<string, RepositoryFile>(before.files);
  for (const { path, blob } of changes) if (blob === null) files.delete(path);
  const written = changes.filter(isWritten).filter(({ path }) => isOurs(path));
  await inWindow(written, async change => {
    files.set(change.path, await readFile(repository, change, signal));
  });

  const texts = await lastingTexts(reader, { known: before.history.texts, files, entries }, signal);
  const history = extendHistory({ ...base, texts: before.history.texts }, entries, texts);
  return { head, subject: entries.at(-1)?.subject ?? null, files, history };
}

/** The records after those known; throws E_HISTORY_REWRITTEN when the chain is another one. */
export async function advanceRecords(
  repository: CommitSource,
  known: readonly HistoryEntry[],
  tip: CommitSha,
  signal: AbortSignal,
): Promise<readonly HistoryEntry[]> {
  const last = known.at(-1)?.commit ?? null;
  if (tip === last) return known;
  if (last !== null) await checkDescends(repository, last, tip, 'The record of transitions', signal);
  return [...known, ...(await repository.history(last, tip, signal))];
}

async function checkDescends(
  repository: CommitSource,
  before: CommitSha,
  head: CommitSha,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  if (await repository.isAncestor(before, head, signal)) return;
  throw new SwitchbackError(
    'E_HISTORY_REWRITTEN',
    `${what} was rewritten: ${before.slice(0, 7)} is no longer part of it. What runs is kept. Restore ${before.slice(0, 7)}, or restart the controller to accept the new history.`,
    { details: { before, head } },
  );
}

/**
 * The first-parent commits since `before`. When the former head came in by a merge's other side, the line itself is
 * another one, and history is told from its beginning.
 */
async function newEntries(
  { repository, root }: Reader,
  before: Before,
  head: CommitSha,
  signal: AbortSignal,
): Promise<{ base: RepositoryView['history']; entries: HistoryEntry[] }> {
  const since = await repository.history(before.head, head, signal);
  const isSameLine = since.length === 0 || since[0]?.parent === before.head;
  const entries = isSameLine ? since : await repository.history(null, head, signal);
  return {
    base: isSameLine ? before.history : NO_HISTORY,
    entries: entries.map(entry => ({ ...entry, changes: within(root, entry.changes, true) })),
  };
}

interface TextsWanted {
  known: ReadonlyMap<BlobId, string>;
  files: ReadonlyMap<string, RepositoryFile>;
  entries: readonly HistoryEntry[];
}

/** Texts that matter later, also of files that the newest tree no longer holds. */
async function lastingTexts(
  { repository }: Reader,
  { known, files, entries }: TextsWanted,
  signal: AbortSignal,
): Promise<Map<BlobId, string>> {
  const wanted = new Map<BlobId, Written>();
  for (const change of entries.flatMap(({ changes }) => changes).filter(isWritten)) {
    const isNew = !known.has(change.blob) && !wanted.has(change.blob);
    if (isNew && isManifestPath(change.path) && hasLastingText(change.path)) wanted.set(change.blob, change);
  }
  const texts = new Map<BlobId, string>();
  await inWindow([...wanted.values()], async change => {
    const present = files.get(change.path);
    const file = present?.blob === change.blob ? present : await readFile(repository, change, signal);
    if (file.kind === 'manifest') texts.set(change.blob, file.text);
  });
  return texts;
}

/** Paths below the root, relative to it. `keepOthers`: foreign paths stay, unmatchable, so that they still count. */
function within(root: string, changes: readonly Change[], keepOthers = false): Change[] {
  if (root === '') return [...changes];
  const prefix = `${root.replace(/\/+$/, '')}/`;
  return changes.flatMap(change => {
    if (change.path.startsWith(prefix)) return [{ ...change, path: change.path.slice(prefix.length) }];
    return keepOthers ? [{ ...change, path: `/${change.path}` }] : [];
  });
}

function isWritten(change: Change): change is Written {
  return change.blob !== null;
}

async function inWindow<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += READS_AT_ONCE) {
    await Promise.all(items.slice(start, start + READS_AT_ONCE).map(act));
  }
}
