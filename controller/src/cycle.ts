import type { ControlState } from './control-state.ts';
import { judgeDeployments } from './judge-deployments.ts';
import { accept } from './operation/accept.ts';
import { divergences } from './plan/divergence.ts';
import { localTargets } from './plan/local-targets.ts';
import { plan } from './plan/plan.ts';
import { propose } from './proposal/proposal.ts';
import { recoverStates } from './recover-states.ts';
import { withPauses } from './requests.ts';
import { rollout } from './rollout/rollout.ts';
import { type Outcome, settle } from './settle.ts';
import type { World } from './world.ts';

/**
 * One pass: commit → desired → rollout → plan → actuation → observation → verdict → proposal → operation. Computes
 * on latest values and waits for nothing but the ledger; what changes git runs in the operation runner.
 */
export async function cycle(
  world: World,
  state: ControlState,
  epoch: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const now = world.clock.now();
  const view = world.repository.latest();
  if (!view?.head) return { kind: 'waiting', reason: 'no commit has been seen yet', wakeAt: now + 1000 };
  const asked = world.requests.take();

  const desired = world.desired(view);
  const openRollbacks = state.open.rollbacks();
  const known = recoverStates(state.rollouts, desired, view, world.observation, now);
  const paused = withPauses(known, asked.requests, now);
  const { verdicts, served } = state;
  const rolled = rollout({ desired, states: paused.states, openRollbacks, verdicts, served, now });
  const planned = plan({
    target: rolled.target,
    commit: view.head,
    keys: world.keys,
    local: localTargets(desired),
    replace: state.diverged.replace,
    observed: world.actuation.observe(),
  });
  for (const action of planned) await world.actuation.apply(action, signal);
  const { heard } = world.observation.latest();
  const observed = { ...world.actuation.observe(), heard };
  const diverged = divergences({ target: rolled.target, ...observed, before: state.diverged, now });
  const judged = judgeDeployments(rolled.states, heard, state, now);
  const proposed = propose({
    ...rolled,
    desired,
    history: view.history,
    verdicts: judged.verdicts,
    openRollbacks,
    now,
  });
  const intents = [
    ...asked.requests.flatMap(request => (request.kind === 'intend' ? [request.intent] : [])),
    ...proposed.intents,
  ];
  const accepted = await accept(intents, { ledger: world.ledger, open: state.open, desired, now });
  const outcome = await settle({
    world,
    state,
    epoch,
    view,
    desired,
    requests: asked.requests,
    paused,
    rolled,
    planned,
    diverged,
    judged,
    proposed,
    accepted,
    now,
  });
  if (outcome.kind === 'done') asked.answer();
  return outcome;
}
