import {
  type DeploymentStatus,
  type EnvironmentName,
  type EnvironmentStatus,
  type Instant,
  type Loaded,
  type ModelName,
  type Problem,
  type RuntimeObservation,
  type RuntimeStatus,
  runtimeName,
  type Status,
} from '@switchback-ml/schemas';
import type { ObservedRuntime, ObservedState } from '../actuation/actuation.ts';
import type { ArtifactFailures } from '../artifact-failures.ts';
import type { ControlState } from '../control-state.ts';
import type {
  DesiredDeployment,
  DesiredEnvironment,
  DesiredState,
  DesiredVersion,
} from '../desired/desired-state.ts';
import { missingArtifacts } from '../missing-artifacts.ts';
import type { Heard } from '../observation/observation.ts';
import type { RepositoryView, RepositoryWatch } from '../repository/view.ts';
import { isHeld } from '../rollout/held.ts';
import { type Subject, subjectOf } from '../rollout/rollout-state.ts';
import { backendStatuses } from './backends.ts';
import { conditionsOf, phaseOf } from './conditions.ts';
import type { Deployment, HeldVersion, Surroundings } from './deployment.ts';
import type { FirstSeen } from './first-seen.ts';
import { operationStatus } from './operations.ts';
import { waitsOf } from './waits.ts';

export interface StatusInput {
  state: ControlState;
  /** Null before the first look at the remote. */
  view: RepositoryView | null;
  contact: ReturnType<RepositoryWatch['contact']>;
  observed: ObservedState;
  heard: readonly Heard[];
  artifactFailures: ArtifactFailures;
  repositoryUrl: string;
  branch: string;
  /** Of the management API. */
  address: string;
  /** Remembers between calls since when a claim holds. */
  seen: FirstSeen;
  now: Instant;
}

const PROBLEMS_SHOWN = 500;
/** An instance that has been silent for longer is no witness of what is served. */
const SILENCE_MS = 15_000;

/** What git asks for, what is served, and what is waited for. */
export function makeStatus(input: StatusInput): Status {
  const { state, view, contact, now } = input;
  const around: Surroundings = {
    branch: input.branch,
    headSince: view?.at ?? now,
    remoteFailure: contact.failure?.message ?? null,
    seen: input.seen,
    now,
  };
  const status: Status = {
    at: now,
    address: input.address,
    repository: {
      url: input.repositoryUrl,
      branch: input.branch,
      commit: state.head,
      // Of the commit that was acted on; a newer one may have been seen since.
      subject: view && view.head === state.head ? view.subject : null,
      ageMs: contact.reachedAt === null ? null : Math.max(0, now - contact.reachedAt),
      failure: contact.failure ? `${contact.failure.code}: ${contact.failure.message}` : null,
      ...(contact.failure?.since !== undefined && { failingSince: contact.failure.since }),
      ...(contact.failure?.rewritten && { rewritten: contact.failure.rewritten }),
    },
    environments: environmentsOf(input, around),
    operations: state.open.list().map(operation => operationStatus(operation, around)),
    problems: [...(view?.problems ?? []), ...(state.desired?.problems ?? [])].slice(0, PROBLEMS_SHOWN),
  };
  input.seen.turn();
  return status;
}

function environmentsOf(input: StatusInput, around: Surroundings): EnvironmentStatus[] {
  const { state } = input;
  const models = modelsByEnvironment(state);
  const rollbacks = rollbacksBySubject(state);
  return [...models].map(([name, names]) => {
    const place = placeIn(input, name);
    const deployments = [...names]
      .sort()
      .map(model => deploymentStatus(deploymentIn(input, place, model, rollbacks), around));
    return {
      name,
      // A manifest that can't be read says nothing: what holds where nobody said anything is shown.
      mode: place.environment?.mode ?? 'propose',
      promotesFrom: [...(place.environment?.promotesFrom ?? [])],
      address: place.runtime?.state === 'running' ? place.runtime.address : null,
      ...(place.runtime?.grpcAddress !== undefined && { grpcAddress: place.runtime.grpcAddress }),
      runtimes: place.runtimes.map(runtimeStatus),
      deployments,
    };
  });
}

function runtimeStatus({ environment, replica = 0, ...runtime }: ObservedRuntime): RuntimeStatus {
  const { address, ownAddress = address, state, pid } = runtime;
  return { name: runtimeName(environment, replica), replica, address: ownAddress, state, pid };
}

/** In promotion order, then the environments that can't be read. A first promotion may wait before any deployment. */
function modelsByEnvironment({
  desired,
  rollouts,
  promotionWaits,
}: ControlState): Map<EnvironmentName, Set<ModelName>> {
  const names = [...(desired?.environments.keys() ?? []), ...(desired?.broken ?? [])];
  const models = new Map(names.map(name => [name, new Set<ModelName>()]));
  for (const [name, { deployments }] of desired?.environments ?? []) {
    for (const model of deployments.keys()) models.get(name)?.add(model);
    for (const model of desired?.models.keys() ?? [])
      if (promotionWaits.has(subjectOf(name, model))) models.get(name)?.add(model);
  }
  for (const { environment, model } of rollouts.values())
    models.set(environment, (models.get(environment) ?? new Set()).add(model));
  return models;
}

/** One environment's part of what is known. */
interface Place {
  name: EnvironmentName;
  environment: DesiredEnvironment | null;
  /** One that runs, if one does. */
  runtime: ObservedRuntime | null;
  runtimes: readonly ObservedRuntime[];
  words: { observation: RuntimeObservation; loaded: Map<ModelName, Loaded[]> }[];
}

function placeIn({ state, observed, heard, now }: StatusInput, name: EnvironmentName): Place {
  const runtimes = observed.runtimes.filter(({ environment }) => environment === name);
  // What a replaced instance said last is no word on what is served now.
  const present = new Set(runtimes.filter(it => it.state === 'running').map(it => it.instanceId));
  return {
    name,
    environment: state.desired?.environments.get(name) ?? null,
    runtimes,
    runtime: runtimes.find(it => it.state === 'running') ?? runtimes[0] ?? null,
    words: heard
      .filter(({ environment, observation }) => environment === name && present.has(observation.instanceId))
      .filter(({ heardAt }) => now - heardAt < SILENCE_MS)
      .map(({ observation }) => ({ observation, loaded: Map.groupBy(observation.loaded, it => it.model) })),
  };
}

function deploymentIn(
  { state, artifactFailures, now }: StatusInput,
  { name, environment, runtime, words: allWords }: Place,
  model: ModelName,
  rollbacks: ReadonlyMap<Subject, Deployment['rollback']>,
): Deployment {
  const subject = subjectOf(name, model);
  const words = allWords.map(({ observation, loaded }) => ({
    ...observation,
    loaded: loaded.get(model) ?? [],
  }));
  const rollout = state.rollouts.get(subject) ?? null;
  const desired = environment?.deployments.get(model) ?? null;
  const isBroken = !environment || desired?.wanted === null;
  const backends = backendStatuses(rollout, words);
  const unready = new Set(backends.filter(it => it.state !== 'ready').map(({ version }) => version));
  return {
    subject,
    environment: name,
    model,
    desired,
    policy: environment,
    rollout,
    verdict: state.verdicts.get(subject) ?? null,
    rollback: rollbacks.get(subject) ?? null,
    endedRollback: state.open.endedRollback(subject),
    newerHeld: newerHeld(desired, state.desired?.models.get(model)?.versions ?? [], now),
    promotionWaits: state.promotionWaits.get(subject) ?? [],
    runtime,
    backends,
    missing: missingArtifacts(rollout, artifactFailures, state.desired?.models).filter(({ version }) =>
      unready.has(version),
    ),
    words,
    problems: isBroken ? problemsOf(state.desired, { environment: name, model, desired }) : [],
  };
}

function rollbacksBySubject({ open }: ControlState): Map<Subject, Deployment['rollback']> {
  const rollbacks = open.list().filter(({ kind }) => kind === 'rollback');
  return new Map(rollbacks.map(operation => [operation.subject, operation]));
}

/** Errors in the deployment's own folder, or what its environment's manifest says; else in the files of the model. */
function problemsOf(
  state: DesiredState | null,
  { environment, model, desired }: Pick<Deployment, 'environment' | 'model' | 'desired'>,
): Problem[] {
  const errors = state?.problems.filter(({ severity }) => severity === 'error') ?? [];
  const below = (folder: string): Problem[] => errors.filter(({ path }) => path.startsWith(folder));
  if (!desired) return below(`environments/${environment}/environment.yaml`);
  const own = below(desired.releasePath.slice(0, -'release.yaml'.length));
  return own.length > 0 ? own : below(`models/${state?.models.get(model)?.folder ?? model}/`);
}

/** Later than the one that git asks for, in the order that they came. */
function newerHeld(
  desired: DesiredDeployment | null,
  versions: readonly DesiredVersion[],
  now: Instant,
): HeldVersion[] {
  const wanted = desired?.wanted;
  if (!wanted || desired.holds.length === 0) return [];
  const newer = versions.slice(versions.findIndex(({ digest }) => digest === wanted.digest) + 1);
  return newer.toReversed().flatMap(({ label, digest }) => {
    const revision = { digest, settingsDigest: null };
    const hold = desired.holds.find(entry => isHeld(revision, [entry], now));
    return hold ? [{ version: label, hold }] : [];
  });
}

function deploymentStatus(deployment: Deployment, around: Surroundings): DeploymentStatus {
  const { model, desired, backends, verdict, rollout } = deployment;
  return {
    model,
    version: desired?.wanted?.version ?? null,
    phase: phaseOf(deployment),
    backends,
    verdict,
    paused: rollout?.paused != null,
    waits: waitsOf(deployment, around),
    conditions: conditionsOf(deployment, around),
  };
}
