import type {
  Backend,
  EnvironmentName,
  InstanceId,
  Instant,
  ModelName,
  NewEvent,
  RuntimeObservation,
  ServingSnapshot,
} from '@switchback-ml/schemas';
import type { Routes } from '../rollout/rollout.ts';
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
  message: string;
  since: Instant;
  /** It has lasted long enough to be an event. */
  isTold: boolean;
}

export interface DivergenceState {
  /** By subject and kind. */
  found: ReadonlyMap<string, Divergence>;
  /** Environments whose runtime the next plan shall replace, and why. */
  replace: ReadonlyMap<EnvironmentName, string>;
  /** When that was last wanted. */
  replacedAt: ReadonlyMap<EnvironmentName, Instant>;
}

export const NO_DIVERGENCE: DivergenceState = { found: new Map(), replace: new Map(), replacedAt: new Map() };

export interface DivergenceInput {
  /** What the rollout wants served; during a rollback that is last good, whatever git still says. */
  target: ReadonlyMap<EnvironmentName, Routes | null>;
  published: ReadonlyMap<EnvironmentName, Pick<ServingSnapshot, 'generation'>>;
  runtimes: readonly { environment: EnvironmentName; instanceId: InstanceId | null }[];
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

/** Compares what runtimes say with the target; tells what lasts, and whose runtime shall be replaced for it. */
export function divergences(input: DivergenceInput): { state: DivergenceState; events: NewEvent[] } {
  const { before, now } = input;
  const found = new Map<string, Divergence>();
  for (const { kind, subject, environment, message } of present(input)) {
    const key = `${subject} ${kind}`;
    const known = before.found.get(key);
    const since = known?.since ?? now;
    const isTold = known?.isTold || now - since >= (kind === 'loaded-other' ? 0 : TOLD_AFTER_MS);
    found.set(key, { kind, subject, environment, message, since, isTold });
  }
  const replace = toReplace(found, before.replacedAt, now);
  const replacedAt = new Map(before.replacedAt);
  for (const environment of replace.keys()) replacedAt.set(environment, now);
  return { state: { found, replace, replacedAt }, events: transitions(before.found, found, now) };
}

type Present = Omit<Divergence, 'since' | 'isTold'>;

function present({ target, published, runtimes, heard, now }: DivergenceInput): Present[] {
  const alive = new Set(runtimes.map(({ instanceId }) => instanceId));
  return heard
    .filter(({ observation, heardAt }) => alive.has(observation.instanceId) && now - heardAt < FRESH_MS)
    .flatMap(({ environment, observation }) => {
      const routes = target.get(environment);
      if (!routes) return [];
      const generation = published.get(environment)?.generation;
      return [
        ...deafness(environment, observation, generation),
        ...[...routes].flatMap(([model, { backends }]) => [
          ...servesOther(environment, model, backends, observation),
          ...loadedOther(environment, model, observation),
        ]),
      ];
    });
}

function deafness(
  environment: EnvironmentName,
  { snapshot }: RuntimeObservation,
  generation: string | undefined,
): Present[] {
  if (generation === undefined || snapshot === generation) return [];
  const message = `the runtime of ${environment} has snapshot ${snapshot ?? 'none'}, ${generation} was published`;
  return [{ kind: 'deaf', subject: environment, environment, message }];
}

function servesOther(
  environment: EnvironmentName,
  model: ModelName,
  backends: readonly Backend[],
  { routes, loaded }: RuntimeObservation,
): Present[] {
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
): Present[] {
  const other = loaded.find(
    entry => entry.model === model && entry.attested !== undefined && entry.attested !== entry.digest,
  );
  if (other === undefined) return [];
  const subject = `${environment}/${model}`;
  const message = `${subject} has loaded ${other.attested} as version ${other.version}, which is ${other.digest}`;
  return [{ kind: 'loaded-other', subject, environment, message }];
}

/** A deaf runtime can't be told anything, and wrong bytes must not go on answering. */
function toReplace(
  found: ReadonlyMap<string, Divergence>,
  replacedAt: ReadonlyMap<EnvironmentName, Instant>,
  now: Instant,
): Map<EnvironmentName, string> {
  const replace = new Map<EnvironmentName, string>();
  for (const { kind, environment, message, since } of found.values()) {
    const last = replacedAt.get(environment);
    const isRecent = last !== undefined && now - last < REPLACED_EVERY_MS;
    const isDue = kind === 'loaded-other' || (kind === 'deaf' && now - since >= REPLACED_AFTER_MS);
    if (isDue && !isRecent) replace.set(environment, message);
  }
  return replace;
}

function transitions(
  before: ReadonlyMap<string, Divergence>,
  found: ReadonlyMap<string, Divergence>,
  now: Instant,
): NewEvent[] {
  const told = (type: NewEvent['type'], { kind, subject, message, since }: Divergence): NewEvent => ({
    at: now,
    type,
    subject,
    actor: 'controller',
    data: { kind, message, since },
  });
  const begun = [...found].filter(([key, { isTold }]) => isTold && !before.get(key)?.isTold);
  const healed = [...before].filter(([key, { isTold }]) => isTold && !found.has(key));
  return [
    ...begun.map(([, divergence]) => told('divergence.found', divergence)),
    ...healed.map(([, divergence]) => told('divergence.healed', divergence)),
  ];
}
