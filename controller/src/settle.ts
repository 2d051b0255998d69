import type { Instant, NewEvent } from '@switchback-ml/schemas';
import type { ControlState } from './control-state.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { Judged } from './judge-deployments.ts';
import { artifactEvents } from './missing-artifacts.ts';
import type { Accepted } from './operation/accept.ts';
import type { Plan } from './plan/action.ts';
import type { DivergenceState } from './plan/divergence.ts';
import type { Proposed } from './proposal/proposal.ts';
import { replacedEngines } from './replaced-engines.ts';
import type { RepositoryView } from './repository/view.ts';
import type { PersonRequest } from './requests.ts';
import type { RolledOut } from './rollout/rollout.ts';
import type { RolloutState, Subject } from './rollout/rollout-state.ts';
import { servedBy } from './served.ts';
import type { World } from './world.ts';

/** How a cycle ends: when the next is due, and why it may be that nothing can be done. */
export type Outcome =
  | { kind: 'done'; wakeAt: Instant }
  | { kind: 'waiting'; reason: string; wakeAt: Instant }
  /** Somebody else leads now, or the ledger disagrees: stop deciding. */
  | { kind: 'fenced' };

export interface CycleResult {
  world: World;
  state: ControlState;
  epoch: number;
  view: RepositoryView;
  desired: DesiredState;
  /** What persons asked for. */
  requests: readonly PersonRequest[];
  paused: { states: ReadonlyMap<Subject, RolloutState>; events: readonly NewEvent[] };
  rolled: RolledOut;
  planned: Plan;
  diverged: { state: DivergenceState; events: readonly NewEvent[] };
  judged: Judged;
  proposed: Proposed;
  accepted: Accepted;
  now: Instant;
}

const LONGEST_PAUSE_MS = 1000;
const SAVE_EVERY_MS = 1000;

/** The one place that turns what a cycle found into ledger, memory, log and schedule. */
export async function settle(result: CycleResult): Promise<Outcome> {
  const { world, state, epoch, rolled, judged, accepted, now } = result;
  const engines = replacedEngines(world.observation.latest().heard, state.toldReplacements, now);
  const artifacts = artifactEvents(
    rolled.states,
    { failures: world.artifactFailures(), models: result.desired.models, before: state.toldMissing },
    now,
  );
  const events = [
    ...commitEvents(result),
    ...rewriteEvents(result),
    ...runtimeEvents(result),
    ...engines.events,
    ...artifacts.events,
    ...recoveredEvents(result),
    ...result.paused.events,
    ...rolled.events,
    ...result.diverged.events,
    ...judged.events,
    ...accepted.events,
  ];
  const rollouts = changes(state.rollouts, rolled.states);
  const operations = accepted.operations.map(record => ({ record, from: null }));
  // An older analysis loses nothing: counts are cumulative, so it catches up at its next look.
  const isDue = events.length + rollouts.size + operations.length > 0 || now - state.savedAt >= SAVE_EVERY_MS;
  const analyses = isDue ? changes(state.savedAnalyses, judged.analyses) : new Map();
  if (events.length + rollouts.size + analyses.size + operations.length > 0) {
    const advanced = await world.ledger.advance({ epoch, at: now, operations, rollouts, analyses, events });
    if (advanced.kind !== 'advanced') {
      world.log.warn(
        { epoch, reason: advanced.kind },
        'the ledger refused this cycle, another controller may lead',
      );
      return { kind: 'fenced' };
    }
    state.savedAnalyses = judged.analyses;
    state.savedAt = now;
  }
  remember(result);
  state.toldReplacements = engines.told;
  state.toldMissing = artifacts.told;
  for (const { type, subject, data } of events) world.log.info({ subject, ...plain(data) }, type);

  const isUrgent = accepted.operations.length > 0;
  return { kind: 'done', wakeAt: isUrgent ? now : Math.min(rolled.wakeAt, now + LONGEST_PAUSE_MS) };
}

function remember(result: CycleResult): void {
  const { world, state, requests, rolled, diverged, judged, accepted, view, proposed, desired } = result;
  state.rollouts = rolled.states;
  state.analyses = judged.analyses;
  state.verdicts = judged.verdicts;
  state.served = servedBy(world.observation.latest().heard, result.now);
  state.diverged = diverged.state;
  state.promotionWaits = proposed.waits;
  state.desired = desired;
  state.head = view.head;
  state.toldRewrite = world.repository.contact().failure?.rewritten?.after ?? null;
  for (const request of requests)
    if (request.kind === 'accept-rewrite') world.repository.acceptRewrite(request.rewrite.after);
  for (const operation of accepted.operations) state.open.put(operation);
}

/** A new head, and what in it can't be read. */
function commitEvents({ state, view, desired, now }: CycleResult): NewEvent[] {
  if (!view.head || state.head === view.head) return [];
  const commit = view.head;
  const seen: NewEvent = {
    at: now,
    type: 'commit.seen',
    subject: 'controller',
    actor: 'controller',
    commit,
    data: { subject: view.subject },
  };
  const refused = desired.problems
    .filter(({ severity }) => severity === 'error')
    .slice(0, 50)
    .map(problem => ({
      at: now,
      type: 'manifest.refused' as const,
      subject: problem.path,
      actor: 'controller',
      commit,
      data: { ...problem },
    }));
  return [seen, ...refused];
}

/** A rewritten history is told once for each head that it is seen at; so is a person's word that it is meant. */
function rewriteEvents({ world, state, requests, now }: CycleResult): NewEvent[] {
  const told = { at: now, subject: 'controller', actor: 'controller' };
  const rewritten = world.repository.contact().failure?.rewritten;
  const isNew = rewritten !== undefined && rewritten.after !== state.toldRewrite;
  const accepted = requests.filter(request => request.kind === 'accept-rewrite');
  return [
    ...(isNew ? [{ ...told, type: 'history.rewritten' as const, data: { ...rewritten } }] : []),
    ...accepted.map(({ rewrite, by, reason }) => ({
      ...told,
      type: 'history.accepted' as const,
      actor: by,
      data: { ...rewrite, reason },
    })),
  ];
}

/** Deployments that the ledger knew nothing of, and git or a runtime did. */
function recoveredEvents({ state, paused, now }: CycleResult): NewEvent[] {
  return [...paused.states]
    .filter(([subject]) => !state.rollouts.has(subject))
    .map(([subject, { stable }]) => ({
      at: now,
      type: 'rollout.recovered' as const,
      subject,
      actor: 'controller',
      data: { stable: stable?.version ?? null },
    }));
}

function runtimeEvents({ world, now }: CycleResult): NewEvent[] {
  return world.actuation.changes().map(({ kind, environment, reason, pid }) => ({
    at: now,
    type: `runtime.${kind}` as const,
    subject: environment,
    actor: 'controller',
    data: { reason, pid },
  }));
}

/** Members that differ by identity; null for those that are gone. States are replaced, never changed in place. */
function changes<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): Map<string, Value | null> {
  const changed = new Map<string, Value | null>();
  for (const [key, value] of after) if (before.get(key) !== value) changed.set(key, value);
  for (const key of before.keys()) if (!after.has(key)) changed.set(key, null);
  return changed;
}

/** Findings are long; the event keeps them, the log line does not. */
function plain({ findings, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}
