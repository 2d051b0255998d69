import type { Instant } from '@switchback-ml/schemas';
import type { DesiredState } from '../desired/desired-state.ts';
import type { PromotionIntent } from '../proposal/intent.ts';
import { promotionMessage } from '../proposal/message.ts';
import { promotionEdits } from '../proposal/promotion-edits.ts';
import { mayEnter } from '../proposal/promotion-rule.ts';
import { belowRoot } from '../repository/below-root.ts';
import type { RepositoryView } from '../repository/view.ts';
import type { Operation } from './open-operations.ts';
import { doneOnceSeen, pushChange, pushedEarlier } from './push-change.ts';
import type { Moved, RunnerWorld } from './runner-world.ts';

/** intended → pushed → done; superseded as soon as the promotion rule no longer allows it at the newest head. */
export async function runPromotion(
  world: RunnerWorld,
  operation: Operation,
  intent: PromotionIntent,
  signal: AbortSignal,
): Promise<Moved> {
  const view = world.watch.latest();
  const desired = world.desired();
  if (!view?.head || !desired || desired.commit !== view.head) return { kind: 'wait' };
  if (operation.state === 'pushed') return doneOnceSeen(world, operation, view.head, signal);
  const edits = stillAllowed(intent, desired, view, world.clock.now())
    ? promotionEdits(intent, desired, view.history)
    : null;
  if (!edits) {
    const pushed = await pushedEarlier(world, operation, intent.base, view.head, signal);
    return pushed ?? { kind: 'to', state: 'superseded', event: 'operation.superseded' };
  }
  if (operation.state === 'refused') return { kind: 'wait' };

  const environment = desired.environments.get(intent.environment);
  return pushChange(
    world,
    operation,
    {
      head: view.head,
      edits: belowRoot(world.root, edits),
      message: promotionMessage(intent, { operation: operation.id, epoch: world.epoch() ?? 0 }),
      proposalBranch: `switchback/promote/${intent.environment}/${intent.model}/${operation.id}`,
      mustPropose: environment?.mode !== 'act' || environment.promotion.by === 'pull-request',
      mayPropose: true,
    },
    signal,
  );
}

/** The rule again, against the head that will be built on: history, holds, and upstream's release may have changed. */
function stillAllowed(
  intent: PromotionIntent,
  desired: DesiredState,
  { history }: RepositoryView,
  now: Instant,
): boolean {
  const environment = desired.environments.get(intent.environment);
  const version = desired.models.get(intent.model)?.versions.find(({ digest }) => digest === intent.digest);
  const upstream = desired.environments.get(intent.from)?.deployments.get(intent.model)?.wanted;
  if (!environment || !version || upstream?.digest !== intent.digest) return false;
  return mayEnter({ desired, history, now }, environment, intent.model, version);
}
