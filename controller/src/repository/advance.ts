import type { BlobId, CommitSha, Problem } from '@switchback-ml/schemas';
import type { RepositoryFile } from '../desired/desired-state.ts';
import { SwitchbackError } from '../error.ts';
import { grown } from './grown-map.ts';
import { harmless, harmlessLine } from './harmless-text.ts';
import { extendHistory, hasLastingText, isManifestPath, NO_HISTORY } from './history.ts';
import { LFS_CONFIG_PATH, lfsConfigProblems } from './lfs/lfs-config.ts';
import { isOurs, readFile } from './read-file.ts';
import type { Change, CommitSource, HistoryEntry } from './repository.ts';
import type { RepositoryView } from './view.ts';

export interface Reader {
  repository: CommitSource;
  /** Folder of the git repository that holds the model repository; empty: its top. */
  root: string;
  /** Where weights come from whatever the repository says; null: nowhere, or not over HTTP. */
  lfsEndpoint?: string | null;
}

/** What a new head says; `at` is the caller's to set. */
export type Advanced = Pick<RepositoryView, 'head' | 'subject' | 'files' | 'history' | 'problems'> & {
  /** The former head came in by a merge's other side, so the first-parent line is another one now. */
  isTurned: boolean;
};
type Before = Pick<RepositoryView, 'head' | 'files' | 'history' | 'problems'>;
type Written = Change & { blob: BlobId };

/** Reads under way at once: enough to keep git busy, few enough to hold little in memory. */
const READS_AT_ONCE = 32;
/** What a Date can hold. */
const LATEST = 8.64e15;
const LARGEST_SETTINGS = 64 * 1024;
const LONGEST_AUTHOR = 200;
const LONGEST_SUBJECT = 500;

/** The view at `head`, by reading what changed since `before` and nothing else. */
export async function advance(
  reader: Reader,
  before: Before,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Advanced> {
  const { repository, root } = reader;
  const line = await readLine(reader, before, head, signal);
  const changes = within(root, line.changes);
  const written = changes.filter(isWritten).filter(({ path }) => isOurs(path));
  const read = new Map<string, RepositoryFile | null>();
  for (const { path, blob } of changes) if (blob === null) read.set(path, null);
  await inWindow(written, async change => {
    read.set(change.path, await readFile(repository, change, signal));
  });
  const files = grown(before.files, read);

  const { base, entries, isTurned } = line;
  const texts = await lastingTexts(reader, { known: before.history.texts, files, entries }, signal);
  const history = extendHistory({ ...base, texts: before.history.texts }, entries, texts);
  const problems = await problemsOfSettings(reader, line.changes, before, signal);
  return { head, subject: entries.at(-1)?.subject ?? null, files, history, problems, isTurned };
}

/** What `.lfsconfig` asks for and does not get. It stands at the top of the git repository, and git reads it there. */
async function problemsOfSettings(
  { repository, lfsEndpoint = null }: Reader,
  changes: readonly Change[],
  { problems = [] }: Before,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const change = changes.find(({ path }) => path === LFS_CONFIG_PATH);
  if (change === undefined) return problems;
  if (!isWritten(change)) return [];
  const read = await repository.readBlob(change.blob, LARGEST_SETTINGS, signal);
  const text = read.kind === 'bytes' ? Buffer.from(read.bytes).toString('utf8') : '';
  return lfsConfigProblems(text, lfsEndpoint);
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
  const since = await repository.history(last, tip, signal);
  if (last !== null && since[0]?.parent !== last)
    await checkDescends(repository, { what: 'The record of transitions', before: last, after: tip }, signal);
  return [...known, ...since.map(harmlessEntry)];
}

export interface Descent {
  what: 'The branch' | 'The record of transitions';
  before: CommitSha;
  after: CommitSha;
}

/** Throws E_HISTORY_REWRITTEN when what was seen before is no longer part of it. */
export async function checkDescends(
  repository: CommitSource,
  { what, before, after }: Descent,
  signal: AbortSignal,
): Promise<void> {
  if (await repository.isAncestor(before, after, signal)) return;
  throw new SwitchbackError(
    'E_HISTORY_REWRITTEN',
    `${what} was rewritten: ${before.slice(0, 7)} is no longer part of it, it stands at ${after.slice(0, 7)}. What runs is kept, and nothing is written. Restore ${before.slice(0, 7)}, or accept it: switchback accept-rewrite ${after.slice(0, 7)}.`,
    { details: { before, after } },
  );
}

interface Line {
  /** What `entries` go on from. */
  base: RepositoryView['history'];
  /** First-parent commits that are new, oldest first. */
  entries: HistoryEntry[];
  /** Files that differ from the former head's, from the top of the git repository. */
  changes: readonly Change[];
  isTurned: boolean;
}

/**
 * The first-parent commits since `before`: what they changed, one after the other, is what differs. When the former
 * head came in by a merge's other side, the line itself is another one, and history is told from its beginning.
 */
async function readLine(
  { repository, root }: Reader,
  before: Before,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Line> {
  const since = await repository.history(before.head, head, signal);
  const told = (entries: readonly HistoryEntry[]): HistoryEntry[] =>
    entries.map(entry => ({ ...harmlessEntry(entry), changes: within(root, entry.changes, true) }));
  if (before.head === null || since[0]?.parent === before.head)
    return { base: before.history, entries: told(since), changes: lastChanges(since), isTurned: false };
  await checkDescends(repository, { what: 'The branch', before: before.head, after: head }, signal);
  const changes = await repository.diff(before.head, head, signal);
  const entries = told(await repository.history(null, head, signal));
  return { base: NO_HISTORY, entries, changes, isTurned: true };
}

/** Of each path the newest change. */
function lastChanges(entries: readonly HistoryEntry[]): Change[] {
  const changes = new Map<string, Change>();
  for (const entry of entries) for (const change of entry.changes) changes.set(change.path, change);
  return [...changes.values()];
}

/**
 * The one place where foreign text and times enter the view: what anybody shows of it later does nothing to a
 * terminal, and every time is one that a calendar knows.
 */
function harmlessEntry(entry: HistoryEntry): HistoryEntry {
  return {
    ...entry,
    at: Math.min(Math.max(0, entry.at), LATEST),
    author: harmlessLine(entry.author, LONGEST_AUTHOR),
    subject: harmlessLine(entry.subject, LONGEST_SUBJECT),
    body: harmless(entry.body),
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

/** So many under way at any time, the next one begun as soon as one ends. */
async function inWindow<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  let isFailed = false;
  async function work(): Promise<void> {
    while (next < items.length && !isFailed) {
      const item = items[next++] as Item;
      try {
        await act(item);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  }
  const workers = Array.from({ length: Math.min(READS_AT_ONCE, items.length) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
