import type { CommitSha } from '@switchback-ml/schemas';
import { trailer } from '../proposal/message.ts';
import type { Edits } from '../repository/repository.ts';
import type { Operation } from './open-operations.ts';
import type { Moved, RunnerWorld } from './runner-world.ts';

export interface GitChange {
  /** What it was planned against; the push fails if the branch has moved on. */
  head: CommitSha;
  /** Relative to the git repository's top. */
  edits: Edits;
  message: string;
  /** Where it waits for a person when it may not, or can't, go to the branch itself. */
  proposalBranch: string;
  mustPropose: boolean;
  mayPropose: boolean;
}

/** Commits and pushes by compare-and-swap. A branch that moved on is no failure: plan again from its new head. */
export async function pushChange(
  world: RunnerWorld,
  operation: Operation,
  change: GitChange,
  signal: AbortSignal,
): Promise<Moved> {
  const { repository, branch, author, watch } = world;
  const at = operation.createdAt;
  const commit = await repository.commit(
    { parent: change.head, edits: change.edits, message: change.message, author, at },
    signal,
  );
  if (!change.mustPropose) {
    const outcome = await repository.push(`refs/heads/${branch}`, change.head, commit, signal);
    if (outcome.kind === 'pushed')
      return { kind: 'to', state: 'pushed', event: 'operation.pushed', result: { commit } };
    if (outcome.kind === 'moved') {
      watch.nudge();
      return { kind: 'wait' };
    }
    if (!change.mayPropose)
      return { kind: 'to', state: 'refused', event: 'operation.refused', result: { reason: outcome.reason } };
  }
  return propose(world, commit, change, signal);
}

async function propose(
  { repository }: RunnerWorld,
  commit: CommitSha,
  change: GitChange,
  signal: AbortSignal,
): Promise<Moved> {
  const outcome = await repository.push(`refs/heads/${change.proposalBranch}`, null, commit, signal);
  const reason =
    outcome.kind === 'refused'
      ? `the remote refuses even a branch: ${outcome.reason}`
      : `waits on branch ${change.proposalBranch} for a person to merge`;
  return {
    kind: 'to',
    state: 'refused',
    event: 'operation.refused',
    result: { commit, branch: change.proposalBranch, reason },
  };
}

/**
 * What an earlier life pushed for this very operation right before its end, which it could not remember any more;
 * null where nobody has.
 *
 * @param since a commit from before the operation began
 */
export async function pushedEarlier(
  { repository }: RunnerWorld,
  operation: Operation,
  since: CommitSha,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Moved | null> {
  const entries = await repository.history(since, head, signal);
  const found = entries.find(({ body }) => trailer(body, 'Operation') === operation.id);
  if (!found) return null;
  return { kind: 'to', state: 'pushed', event: 'operation.pushed', result: { commit: found.commit } };
}

/** Done once the commit this operation pushed is what the head is, or is built on. */
export async function doneOnceSeen(
  { repository }: RunnerWorld,
  { result }: Operation,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Moved> {
  const commit = result.commit as CommitSha | undefined;
  const isSeen = commit !== undefined && (await repository.isAncestor(commit, head, signal));
  return isSeen ? { kind: 'to', state: 'done', event: 'operation.done' } : { kind: 'wait' };
}
