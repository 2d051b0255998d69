import type { CommitSha } from '@switchback-ml/schemas';
import { type FolderPast, introduction, isUnpushed } from './past.ts';

/** Who may have a version, and the commit that made it one. */
export type Standing =
  | { of: 'nobody' }
  /** It is committed, and others do not have the commit; or nothing tells whether they have. */
  | { of: 'us' | 'us-or-all'; commit: CommitSha; way: Way }
  | { of: 'all'; commit: CommitSha };

/**
 * How a correction gets into the commit. A merge after it may have brought commits of others: folding all that came
 * after would make theirs a part of ours, so ours are put on top of theirs first, and where the upstream does not have
 * all of those, the commit stays as it is.
 */
type Way = 'amend' | 'fold' | 'rebase' | 'relabel';

/** @param path of its version.yaml */
export function standingOf(path: string, past: FolderPast | null): Standing {
  if (past === null) return { of: 'nobody' };
  const first = introduction(path, past);
  if (first === undefined) return { of: 'nobody' };
  const { commit } = first;
  if (past.isAlone) return { of: 'us-or-all', commit, way: wayTo(commit, past) };
  return isUnpushed(path, commit, past)
    ? { of: 'us', commit, way: wayTo(commit, past) }
    : { of: 'all', commit };
}

function wayTo(commit: CommitSha, { head, sinceMerge, canRebase }: FolderPast): Way {
  if (commit === head) return 'amend';
  if (sinceMerge.has(commit)) return 'fold';
  return canRebase ? 'rebase' : 'relabel';
}

/** Whether its graph is worth a trial, and whoever looks can still correct it. */
export const isNew = (standing: Standing): boolean => standing.of !== 'all';

/**
 * How a correction gets into the commit that made the version, as a clause: add-only knows what stood there first and
 * nothing later. Null where there is no such commit, or it is not ours to change. With commits after it they become
 * one, which holds for whatever was done in them, also where the correction is among them.
 *
 * @param at folder of the version
 */
export function howToFold(at: string, standing: Standing): string | null {
  if (standing.of === 'nobody' || standing.of === 'all') return null;
  const commit = standing.commit.slice(0, 7);
  const amend = `git add ${at} && git commit --amend --no-edit`;
  switch (standing.way) {
    case 'amend':
      return ours(`amend ${commit}`, standing.of, amend);
    case 'fold':
      return ours(
        `make one commit of ${commit} and those after it`,
        standing.of,
        `git reset --soft ${commit} && ${amend}`,
      );
    case 'rebase':
      return `take ${commit} out from under the merge that came after it, and validate again: git rebase --autostash @{upstream}`;
    case 'relabel':
      return standing.of === 'us' ? relabelled(at, commit) : null;
  }
}

function ours(what: string, of: 'us' | 'us-or-all', command: string): string {
  if (of === 'us') return `${what}, which nobody else has: ${command}`;
  return `${what}, unless others or a controller have it (then a new label is the way): ${command}`;
}

/** Nobody else has the old label, so it may go. */
function relabelled(at: string, commit: string): string {
  return `give it a new label, since a merge came after ${commit}, and write that into releases that name it: git mv ${at} ${newLabel(at)}`;
}

/** @param at folder of a version */
export function newLabel(at: string): string {
  return `${at.slice(0, at.lastIndexOf('/'))}/<new label>`;
}
