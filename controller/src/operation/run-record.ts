import type { CommitSha } from '@switchback-ml/schemas';
import type { RecordIntent } from '../proposal/intent.ts';
import { recordMessage, trailer } from '../proposal/message.ts';
import type { HistoryEntry } from '../repository/repository.ts';
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
  const records = watch.latest()?.records ?? [];
  const known = (await upTo(repository, records, tip, signal)).find(
    ({ body }) => trailer(body, 'Operation') === operation.id,
  );
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

/** The chain as it stands now: the poller may not have seen yet what an earlier life pushed right before its end. */
async function upTo(
  repository: RunnerWorld['repository'],
  records: readonly HistoryEntry[],
  tip: CommitSha | null,
  signal: AbortSignal,
): Promise<readonly HistoryEntry[]> {
  const last = records.at(-1)?.commit ?? null;
  if (tip === null || tip === last) return records;
  return [...records, ...(await repository.history(last, tip, signal))];
}
