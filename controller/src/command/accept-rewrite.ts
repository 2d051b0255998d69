import { CommitSha } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../error.ts';
import { openManagement } from './controller/management.ts';
import type { Outcome } from './outcome.ts';
import { status } from './status.ts';
import { type PersonRequest, readPersonName } from './workspace/person.ts';

const Accepted = z.object({ did: z.string() });
const SHORTEST_COMMIT = 7;

export interface AcceptRewriteRequest {
  /** Where the rewritten history stands, at least its first seven digits: what one has looked at, and means. */
  commit: string;
  reason?: string | undefined;
}

/** Tells the running controller that a rewritten history is meant. Throws E_CONFLICT where none stands at `commit`. */
export async function acceptRewrite(
  { commit, reason = 'no reason given' }: AcceptRewriteRequest,
  options: PersonRequest & { state: string },
): Promise<Outcome> {
  const { repository } = await status(options);
  const { rewritten } = repository;
  if (!rewritten)
    throw new SwitchbackError('E_CONFLICT', 'No history was rewritten; there is nothing to accept.');
  const isMeant = commit.length >= SHORTEST_COMMIT && rewritten.after.startsWith(commit.toLowerCase());
  if (!isMeant)
    throw new SwitchbackError(
      'E_CONFLICT',
      `${rewritten.ref} was rewritten to ${rewritten.after}, not to ${commit}. Look at that commit, then name it.`,
    );
  const management = openManagement(options.state);
  const by = await readPersonName(options);
  const body = { head: CommitSha.parse(rewritten.after), by, reason };
  const { did } = await management.post('/repository/accept-rewrite', body, Accepted, {
    signal: options.signal,
  });
  return { did, git: null, undo: null, notes: [] };
}
