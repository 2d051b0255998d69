import type { CommitSha } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Edits } from '../../repository/repository.ts';
import type { Outcome } from '../outcome.ts';
import type { Look, Workspace } from './workspace.ts';

/** Enough for any race of people; a branch that moves on this often is written by a machine. */
const MOST_ATTEMPTS = 6;

/** What a verb wants of git, given where the branch stands. */
export type Planned =
  | {
      kind: 'change';
      edits: Edits;
      /** First line of the commit message. */
      subject: string;
      paragraphs: readonly string[];
      did: string;
      undo: (commit: CommitSha) => string;
      notes?: readonly string[];
    }
  /** Everything is so already. */
  | { kind: 'nothing'; said: string };

export interface WriteOptions {
  plan: (look: Look) => Planned | Promise<Planned>;
  /** Pushed there, as a new branch for a pull request, instead of to the watched branch. */
  toBranch?: string | undefined;
  signal: AbortSignal;
}

/** Commits and pushes by compare-and-swap; plans again from the new head whenever the branch has moved. */
export async function writeChange(
  workspace: Workspace,
  { plan, toBranch, signal }: WriteOptions,
): Promise<Outcome> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const look = await workspace.look(signal);
    const planned = await plan(look);
    if (planned.kind === 'nothing') return { did: planned.said, git: null, undo: null, notes: [] };
    const message = messageOf(planned.subject, planned.paragraphs);
    const commit = await workspace.commit({ look, edits: planned.edits, message }, signal);
    const branch = toBranch ?? workspace.branch;
    const outcome = await workspace.push(branch, toBranch === undefined ? look.head : null, commit, signal);
    if (outcome.kind === 'refused') throw pushRefused(branch, outcome.reason);
    if (outcome.kind === 'moved' && toBranch !== undefined) throw branchExists(toBranch);
    if (outcome.kind === 'pushed') {
      const { did, undo, subject, notes = [] } = planned;
      return { did, git: { subject, commit, branch }, undo: undo(commit), notes };
    }
  }
  throw new SwitchbackError(
    'E_CONFLICT',
    `${workspace.branch} moved on ${MOST_ATTEMPTS} times while this was being written. Run the command again.`,
  );
}

/** No value reaches a message with a line break in it: it could pretend to be a trailer. */
function messageOf(subject: string, paragraphs: readonly string[]): string {
  return [subject, ...paragraphs].map(text => text.replace(/[\r\n\u2028\u2029]+/g, ' ')).join('\n\n');
}

function pushRefused(branch: string, reason: string): SwitchbackError {
  return new SwitchbackError(
    'E_PUSH_REFUSED',
    `The remote refused the push to ${branch}: ${reason}. Where pushes are not allowed, add --branch <name> and open a pull request.`,
  );
}

function branchExists(branch: string): SwitchbackError {
  return new SwitchbackError(
    'E_CONFLICT',
    `The branch ${branch} exists already. Choose another name for --branch.`,
  );
}
