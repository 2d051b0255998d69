import type { CommitSha, Instant, OperationId, RevisionId } from '@switchback-ml/schemas';
import type { DesiredState } from '../desired/desired-state.ts';
import type { RollbackIntent } from '../proposal/intent.ts';
import { rollbackMessage } from '../proposal/message.ts';
import { type RollbackEdits, rollbackEdits } from '../proposal/rollback-edits.ts';
import { belowRoot } from '../repository/below-root.ts';
import type { Edits } from '../repository/repository.ts';
import type { RepositoryView } from '../repository/view.ts';
import { isHeld } from '../rollout/held.ts';
import type { Operation } from './open-operations.ts';
import { doneOnceSeen, pushChange, pushedEarlier } from './push-change.ts';
import type { Moved, RunnerWorld } from './runner-world.ts';

/** Usually a few milliseconds; the revert must not wait for a runtime that hangs. */
const WORD_OF_RUNTIMES_MS = 1000;

/** Since when this life publishes nothing any more for what an operation leaves. */
export type Withdrawals = Map<OperationId, Instant>;

/** intended → moved (traffic is back) → pushed (git says so) → done (seen at the head). */
export async function runRollback(
  world: RunnerWorld,
  operation: Operation,
  intent: RollbackIntent,
  withdrawals: Withdrawals,
  signal: AbortSignal,
): Promise<Moved> {
  if (operation.state === 'intended') return trafficMoved(world, operation, intent, withdrawals);
  const view = world.watch.latest();
  const desired = world.desired();
  if (!view?.head || !desired || desired.commit !== view.head) return { kind: 'wait' };
  if (operation.state === 'moved')
    return writeRollback(world, operation, intent, { view, head: view.head, desired }, signal);
  if (operation.state === 'refused') return settledByPerson(intent, desired);
  return doneOnceSeen(world, operation, view.head, signal);
}

/**
 * The published snapshot gives the failing revision nothing any more, and no runtime that is heard says otherwise.
 * One that has not taken it in after a while, or is not heard, delays nothing.
 */
function trafficMoved(
  world: RunnerWorld,
  { id }: Operation,
  { environment, model, from, to }: RollbackIntent,
  withdrawals: Withdrawals,
): Moved {
  const getsTraffic = (backends: readonly { revision: RevisionId; weight: number }[] = []): boolean =>
    backends.some(({ revision, weight }) => revision === from.id && weight > 0);
  if (getsTraffic(world.published().get(environment)?.routes[model]?.backends)) return { kind: 'wait' };
  const now = world.clock.now();
  // Not since the intent: that may be an earlier life's, which ended before it could publish.
  const since = withdrawals.get(id) ?? now;
  withdrawals.set(id, since);
  const stillServed = world
    .heard()
    .filter(word => word.environment === environment && now - word.heardAt < WORD_OF_RUNTIMES_MS)
    .some(({ observation }) => getsTraffic(observation.routes[model]?.backends));
  if (stillServed && now - since < WORD_OF_RUNTIMES_MS) return { kind: 'wait' };
  withdrawals.delete(id);
  const data = { from: from.version, to: to.version };
  return { kind: 'to', state: 'moved', event: 'operation.moved', data };
}

interface At {
  view: RepositoryView;
  head: CommitSha;
  desired: DesiredState;
}

async function writeRollback(
  world: RunnerWorld,
  operation: Operation,
  intent: RollbackIntent,
  at: At,
  signal: AbortSignal,
): Promise<Moved> {
  const wanted = rollbackEdits(intent, at.desired, at.view.history);
  if (wanted.kind === 'nothing') {
    const pushed = await pushedEarlier(world, operation, intent.cause, at.head, signal);
    if (pushed) return pushed;
    return { kind: 'to', state: 'done', event: 'operation.done', data: { note: 'git had it already' } };
  }
  const reverted =
    wanted.kind === 'revert' ? await world.repository.revert(wanted.commit, at.head, signal) : null;
  const conflicts = wanted.kind === 'revert' && reverted === null;
  const edits: Edits = new Map<string, string | Uint8Array | null>([
    ...(reverted ?? []),
    ...belowRoot(world.root, wanted.edits),
  ]);
  const environment = at.desired.environments.get(intent.environment);
  const mustPropose =
    conflicts || environment?.mode === 'propose' || environment?.rollback.write === 'pull-request';
  return pushChange(
    world,
    operation,
    {
      head: at.head,
      edits,
      message: rollbackMessage(
        intent,
        { operation: operation.id, epoch: world.epoch() ?? 0 },
        how(wanted, conflicts),
      ),
      proposalBranch: `switchback/rollback/${intent.environment}/${intent.model}/${operation.id}`,
      mustPropose,
      mayPropose: environment?.rollback.write !== 'push',
    },
    signal,
  );
}

function how(wanted: RollbackEdits, conflicts: boolean): Parameters<typeof rollbackMessage>[2] {
  if (wanted.kind === 'restore') return { reverts: wanted.reverts, note: wanted.note, holdOnly: false };
  if (wanted.kind !== 'revert') return { reverts: null, note: null, holdOnly: true };
  if (!conflicts) return { reverts: wanted.commit, note: null, holdOnly: false };
  const note = `${wanted.commit} changed the settings; reverting it conflicts with later edits, so a person must do it.`;
  return { reverts: null, note, holdOnly: true };
}

/** The remote refused the push; it ends when a person has brought the branch to where it is harmless. */
function settledByPerson(intent: RollbackIntent, desired: DesiredState): Moved {
  const deployment = desired.environments.get(intent.environment)?.deployments.get(intent.model);
  const isLeft = deployment?.wanted?.id !== intent.from.id || isHeld(intent.from, deployment.holds, 0);
  if (!isLeft) return { kind: 'wait' };
  return { kind: 'to', state: 'done', event: 'operation.done', data: { note: 'a person brought git there' } };
}
