import {
  type Backend,
  type EnvironmentName,
  type InstanceId,
  type Instant,
  type ModelName,
  type NewEvent,
  type RuntimeObservation,
  runtimeName,
  type ServingSnapshot,
} from '@switchback-ml/schemas';
import type { Routes } from '../rollout/rollout.ts';
import type { PlanInput } from './action.ts';
import { shares } from './shares.ts';

/**
 * What is served is not the target, and nothing under way explains it. serves-other: other revisions or weights.
 * loaded-other: bytes that are not what the digest says. deaf: the runtime has not taken the newest snapshot.
 */
export interface Divergence {
  kind: 'serves-other' | 'loaded-other' | 'deaf';
  /** `prod/fraud`, or `prod` where the whole runtime is deaf. */
  subject: string;
  environment: EnvironmentName;
  /** The runtime that it was found at, and which of the environment's it is. */
  instanceId: InstanceId;
  replica: number;
  /** `prod.1`; null where the environment has no other. */
  runtime: string | null;
  message: string;
  since: Instant;
  /** It has lasted long enough to be an event. */
  isTold: boolean;
}

export interface DivergenceState {
  /** By subject and kind, and by runtime where there are several. */
  found: ReadonlyMap<string, Divergence>;
  /** Runtimes that the next plan shall replace, and why. */
  replace: PlanInput['replace'];
  /** When that was last wanted of an environment's runtime, by its number. */
  replacedAt: ReadonlyMap<EnvironmentName, ReadonlyMap<number, Instant>>;
}

export const NO_DIVERGENCE: DivergenceState = { found: new Map(), replace: new Map(), replacedAt: new Map() };

export interface DivergenceInput {
  /** What the rollout wants served; during a rollback that is last good, whatever git still says. */
  target: ReadonlyMap<EnvironmentName, Routes | null>;
  published: ReadonlyMap<EnvironmentName, Pick<ServingSnapshot, 'generation'>>;
  runtimes: readonly { environment: EnvironmentName; instanceId: InstanceId | null; replica?: number }[];
  heard: readonly { environment: EnvironmentName; observation: RuntimeObservation; heardAt: Instant }[];
  before: DivergenceState;
  now: Instant;
}

/** An older word tells nothing of now. */
const FRESH_MS = 5000;
/** A change takes milliseconds; what is still otherwise by then has a reason of its own. */
const TOLD_AFTER_MS = 10_000;
const REPLACED_AFTER_MS = 30_000;
/** Replacing costs the environment a second; where it did not help, doing it again would only hurt. */
const REPLACED_EVERY_MS = 10 * 60_000;
/** The next of its runtimes follows when the first can be back. */
const NEXT_REPLACED_AFTER_MS = 30_000;

/** Compares what runtimes say with the target; tells what lasts, and whose runtime shall be replaced for it. */
export function divergences(input: DivergenceInput): { state: DivergenceState; events: NewEvent[] } {
  const { before, now } = input;
  const found = new Map<string, Divergence>();
  for (const here of present(input)) {
    const { kind, subject, replica } = here;
    const key = `${subject} ${kind}${replica === 0 ? '' : ` ${replica}`}`;
    const known = before.found.get(key);
    const since = known?.since ?? now;
    const isTold = known?.isTold || now - since >= (kind === 'loaded-other' ? 0 : TOLD_AFTER_MS);
    found.set(key, { ...here, since, isTold });
  }
  const due = toReplace(found, before.replacedAt, now);
  const replace = new Map(
    due.map(({ instanceId, environment, message }) => [instanceId, { environment, reason: message }]),
  );
  const replacedAt = new Map(before.replacedAt);
  for (const { environment, replica } of due)
    replacedAt.set(environment, new Map(replacedAt.get(environment)).set(replica, now));
  return { state: { found, replace, replacedAt }, events: transitions(before.found, found, now) };
}

type Present = Omit<Divergence, 'since' | 'isTold'>;
type Otherwise = Omit<Present, 'instanceId' | 'replica' | 'runtime'>;

function present({ target, published, runtimes, heard, now }: DivergenceInput): Present[] {
  const alive = new Map(runtimes.map(({ instanceId, replica = 0 }) => [instanceId, replica]));
  return heard
    .filter(({ observation, heardAt }) => alive.has(observation.instanceId) && now - heardAt < FRESH_MS)
    .flatMap(({ environment, observation }) => {
      const routes = target.get(environment);
      if (!routes) return [];
      const { instanceId } = observation;
      const generation = published.get(environment)?.generation;
      const otherwise = [
        ...deafness(environment, observation, generation),
        ...[...routes].flatMap(([model, { backends }]) => [
          ...servesOther(environment, model, backends, observation),
          ...loadedOther(environment, model, observation),
        ]),
      ];
      const replica = alive.get(instanceId) ?? 0;
      const isOneOfMany = runtimes.filter(each => each.environment === environment).length > 1;
      const runtime = isOneOfMany ? runtimeName(environment, replica) : null;
      return otherwise.map(each => ({ ...each, instanceId, replica, runtime }));
    });
}

function deafness(
  environment: EnvironmentName,
  { snapshot }: RuntimeObservation,
  generation: string | undefined,
): Otherwise[] {
  if (generation === undefined || snapshot === generation) return [];
  const message = `the runtime of ${environment} has snapshot ${snapshot ?? 'none'}, ${generation} was published`;
  return [{ kind: 'deaf', subject: environment, environment, message }];
}

function servesOther(
  environment: EnvironmentName,
  model: ModelName,
  backends: readonly Backend[],
  { routes, loaded }: RuntimeObservation,
): Otherwise[] {
  const isUnderWay = backends.some(({ revision }) => {
    const state = loaded.find(entry => entry.model === model && entry.revision === revision)?.state;
    return state === undefined || state === 'pulling' || state === 'loading';
  });
  const wanted = shares(backends);
  const served = shares(routes[model]?.backends ?? []);
  if (isUnderWay || served === wanted) return [];
  const subject = `${environment}/${model}`;
  const message = `${subject} answers from ${served || 'nothing'}, the target is ${wanted || 'nothing'}`;
  return [{ kind: 'serves-other', subject, environment, message }];
}

function loadedOther(
  environment: EnvironmentName,
  model: ModelName,
  { loaded }: RuntimeObservation,
): Otherwise[] {
  const other = loaded.find(
    entry => entry.model === model && entry.attested !== undefined && entry.attested !== entry.digest,
  );
  if (other === undefined) return [];
  const subject = `${environment}/${model}`;
  const message = `${subject} has loaded ${other.attested} as version ${other.version}, which is ${other.digest}`;
  return [{ kind: 'loaded-other', subject, environment, message }];
}

/** A deaf runtime can't be told anything, and wrong bytes must not go on answering. One of an environment at a time. */
function toReplace(
  found: ReadonlyMap<string, Divergence>,
  replacedAt: DivergenceState['replacedAt'],
  now: Instant,
): Divergence[] {
  const due = new Map<EnvironmentName, Divergence>();
  for (const divergence of found.values()) {
    const { kind, environment, replica, since } = divergence;
    const before = replacedAt.get(environment);
    const isRecent = now - (before?.get(replica) ?? Number.NEGATIVE_INFINITY) < REPLACED_EVERY_MS;
    const isBusy = now - Math.max(...(before?.values() ?? [])) < NEXT_REPLACED_AFTER_MS;
    const isDue = kind === 'loaded-other' || (kind === 'deaf' && now - since >= REPLACED_AFTER_MS);
    if (isDue && !isRecent && !isBusy && !due.has(environment)) due.set(environment, divergence);
  }
  return [...due.values()];
}

function transitions(
  before: ReadonlyMap<string, Divergence>,
  found: ReadonlyMap<string, Divergence>,
  now: Instant,
): NewEvent[] {
  const told = (
    type: NewEvent['type'],
    { kind, subject, runtime, message, since }: Divergence,
  ): NewEvent => ({
    at: now,
    type,
    subject,
    actor: 'controller',
    data:
      runtime === null
        ? { kind, message, since }
        : { kind, message: `${runtime}: ${message}`, since, runtime },
  });
  const begun = [...found].filter(([key, { isTold }]) => isTold && !before.get(key)?.isTold);
  const healed = [...before].filter(([key, { isTold }]) => isTold && !found.has(key));
  return [
    ...begun.map(([, divergence]) => told('divergence.found', divergence)),
    ...healed.map(([, divergence]) => told('divergence.healed', divergence)),
  ];
}
