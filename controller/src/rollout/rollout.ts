import type {
  Backend,
  EnvironmentName,
  Indicator,
  Instant,
  ModelName,
  NewEvent,
  Route,
  Verdict,
} from '@switchback-ml/schemas';
import type { DesiredDeployment, DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import { isHeld } from './held.ts';
import {
  type OpenRollback,
  type RolloutState,
  type Served,
  type Settled,
  type Stepped,
  type Subject,
  subjectOf,
} from './rollout-state.ts';
import { step, weightOf } from './step.ts';

/** What the rollout wants served now in one environment. */
export type Routes = ReadonlyMap<ModelName, Route>;

export interface RolloutInput {
  desired: DesiredState;
  states: ReadonlyMap<Subject, RolloutState>;
  openRollbacks: readonly OpenRollback[];
  verdicts: ReadonlyMap<Subject, Verdict>;
  /** By the last words of runtimes. */
  served: Served;
  now: Instant;
}

export interface RolledOut {
  /** Null: nothing is known of what shall be served there, and what is served stays as it is. */
  target: ReadonlyMap<EnvironmentName, Routes | null>;
  states: ReadonlyMap<Subject, RolloutState>;
  events: readonly NewEvent[];
  settled: readonly Settled[];
  wakeAt: Instant;
}

/**
 * Canary, bake and rollback of every deployment as one step of a state machine. Says what shall be served now and
 * when it wants to be asked again.
 */
export function rollout(input: RolloutInput): RolledOut {
  const { desired, now } = input;
  const gathered: Gathered = {
    target: new Map(),
    states: new Map(),
    events: [],
    settled: [],
    wakeAt: Number.POSITIVE_INFINITY,
  };
  for (const [environment, { deployments }] of desired.environments) {
    gathered.target.set(environment, new Map());
    for (const deployment of deployments.values())
      gather(gathered, environment, deployment.model, stepDeployment(input, environment, deployment));
  }
  for (const environment of desired.broken) gathered.target.set(environment, null);
  for (const state of input.states.values()) {
    const { environment, model } = state;
    if (desired.broken.has(environment)) gather(gathered, environment, model, stepUnread(input, state));
  }
  return { ...gathered, wakeAt: Math.max(gathered.wakeAt, now) };
}

interface Gathered {
  target: Map<EnvironmentName, Map<ModelName, Route> | null>;
  states: Map<Subject, RolloutState>;
  events: NewEvent[];
  settled: Settled[];
  wakeAt: Instant;
}

function gather(
  gathered: Gathered,
  environment: EnvironmentName,
  model: ModelName,
  stepped: Stepped | null,
): void {
  if (!stepped) return;
  gathered.states.set(subjectOf(environment, model), stepped.state);
  gathered.events.push(...stepped.events);
  gathered.settled.push(...stepped.settled);
  gathered.wakeAt = Math.min(gathered.wakeAt, stepped.wakeAt);
  const routes = gathered.target.get(environment) ?? new Map<ModelName, Route>();
  const route = routeOf(stepped.state);
  if (route) routes.set(model, route);
  gathered.target.set(environment, routes);
}

function stepDeployment(
  input: RolloutInput,
  environment: EnvironmentName,
  { model, wanted, holds }: DesiredDeployment,
): Stepped | null {
  const known = input.states.get(subjectOf(environment, model));
  if (!known && !wanted) return null;
  const isWantedHeld = wanted !== null && isHeld(wanted, holds, input.now);
  return stepState(input, known ?? firstState(environment, model, input.now), wanted, isWantedHeld);
}

/** In an environment whose manifest can't be read nothing goes forward; the way back stays open. */
function stepUnread(input: RolloutInput, state: RolloutState): Stepped {
  return stepState(input, state, null, false);
}

function stepState(
  { desired, openRollbacks, verdicts, served, now }: RolloutInput,
  state: RolloutState,
  wanted: RevisionSpec | null,
  isWantedHeld: boolean,
): Stepped {
  const subject = subjectOf(state.environment, state.model);
  return step({
    state,
    wanted,
    isHeld: isWantedHeld,
    commit: desired.commit,
    openRollback: openRollbacks.find(open => open.subject === subject) ?? null,
    verdict: verdicts.get(subject) ?? null,
    served: state.stable ? null : served(state.environment, state.model),
    now,
  });
}

function firstState(environment: EnvironmentName, model: ModelName, now: Instant): RolloutState {
  return {
    environment,
    model,
    stable: null,
    candidate: null,
    since: now,
    paused: null,
    halted: null,
    baked: [],
  };
}

/**
 * How a deployment is served. Every setting belongs to a revision, also those that only a route can follow: so an edit
 * of any of them begins as a candidate, is judged and goes back with it, and is known from the ledger while git can't be
 * read. How a candidate is tried (stickyBy, match, shadow) is what it says itself, as its steps are; the answer to fall
 * back on is that of whoever has most requests, and of stable on a tie. Null: there is nothing to serve.
 */
export function routeOf(state: RolloutState): Route | null {
  const { stable, candidate } = state;
  const backends = backendsOf(state);
  const most = candidate && (!stable || weightOf(candidate) > 50) ? candidate.revision : stable;
  if (!most) return null;
  const { fallback } = most.settings;
  const { stickyBy } = (stable && candidate?.revision.settings.rollout) ?? {};
  const tried = triedBeside(state);
  const match = tried?.settings.rollout.match?.map(one => ({ ...one, revision: tried.id }));
  return {
    backends,
    ...(match ? { match } : {}),
    ...(stickyBy ? { stickyBy } : {}),
    ...(fallback ? { fallback } : {}),
  };
}

/** The candidate that is tried beside a stable; one that is paused, or has everything, is not tried any further. */
function triedBeside({ stable, candidate, paused }: RolloutState): RevisionSpec | null {
  return stable && candidate && candidate.phase !== 'baking' && !paused ? candidate.revision : null;
}

/** Stable keeps the rest of the weight, and stays warm at 0 while the candidate bakes. The candidate comes last. */
export function backendsOf(state: RolloutState): Backend[] {
  const { stable, candidate } = state;
  if (!candidate) return stable ? [backend(stable, 100)] : [];
  const weight = stable ? weightOf(candidate) : 100;
  const shadow = triedBeside(state)?.settings.rollout.shadow;
  const last = { ...backend(candidate.revision, weight), ...(shadow === undefined ? {} : { shadow }) };
  return stable ? [backend(stable, 100 - weight), last] : [last];
}

function backend(spec: RevisionSpec, weight: number): Backend {
  const { limits, engines, batching, cache } = spec.settings;
  return {
    revision: spec.id,
    version: spec.version,
    digest: spec.digest,
    weight,
    artifacts: { ...spec.artifacts },
    signature: spec.signature,
    limits,
    indicators: indicatorsOf(spec),
    ...(engines === undefined ? {} : { engines }),
    ...(batching ? { batching } : {}),
    ...(cache ? { cache } : {}),
  };
}

/** Objectives as the runtime counts them. */
function indicatorsOf({ settings }: RevisionSpec): Indicator[] {
  const { fast, available, valid } = settings.objectives;
  const indicators: Indicator[] = [];
  if (fast) indicators.push({ kind: 'fast', underMs: fast.under });
  if (available) indicators.push({ kind: 'available' });
  if (valid) {
    const { output, within } = valid;
    indicators.push({ kind: 'valid', ...(output ? { output } : {}), ...(within ? { within } : {}) });
  }
  return indicators;
}
