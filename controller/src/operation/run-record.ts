import type { CommitSha } from '@switchback-ml/schemas';
import type { RecordIntent } from '../proposal/intent.ts';
import { recordMessage, trailer } from '../proposal/message.ts';
import type { Operation } from './open-operations.ts';
import type { Moved, RunnerWorld } from './runner-world.ts';

/** intended → done: one commit on the history ref. The look tells whether an earlier try had come through. */
export async function runRecord(
  world: RunnerWorld,
  operation: Operation,
  intent: RecordIntent,
  signal: AbortSignal,
): Promise<Moved> {
  const { repository, watch, author, historyRef } = world;
  const head = await repository.fetch(historyRef, signal);
  const tip: CommitSha | null = head.kind === 'commit' ? head.commit : null;
  const known = watch.latest()?.records.find(({ body }) => trailer(body, 'Operation') === operation.id);
  if (known) return { kind: 'to', state: 'done', event: 'operation.done', result: { commit: known.commit } };

  const message = recordMessage(intent, { operation: operation.id, epoch: world.epoch() ?? 0 });
  const commit = await repository.commit(
    { parent: tip, edits: new Map(), message, author, at: operation.createdAt },
    signal,
  );
  const outcome = await repository.push(historyRef, tip, commit, signal);
  if (outcome.kind === 'pushed')
    return { kind: 'to', state: 'done', event: 'operation.done', result: { commit } };
  if (outcome.kind === 'moved') {
    watch.nudge();
    return { kind: 'wait' };
  }
  // A remote without room for the ref can still be served: the ledger has the record.
  return { kind: 'to', state: 'superseded', event: 'operation.refused', result: { reason: outcome.reason } };
}
