import type { DeploymentStatus } from '@switchback-ml/schemas';
import type { Chronicle, ToldEvent } from '../faults/world/chronicle.ts';
import type { Environment, Model } from './example.ts';
import type { SoakPlace } from './place.ts';
import { found } from './wait.ts';
import type { Commit, CommitWatch } from './watch/commits.ts';
import type { Traffic } from './watch/traffic.ts';

/** What every deed stands on. */
export interface Ground {
  place: SoakPlace;
  chronicle: Chronicle;
  commits: CommitWatch;
  traffic: Traffic;
  signal: AbortSignal;
}

/** Something that is done, and how it is known that it went as it should. */
export interface Deed {
  /** For a person: `triage 2.4.0 (slow) is pushed`. */
  what: string;
  act(): Promise<void>;
  /** What was seen, in words. Throws when it does not come, or something else does. */
  prove(): Promise<string>;
}

export async function deployment(
  { place }: Ground,
  environment: Environment,
  model: Model,
): Promise<DeploymentStatus> {
  const { environments } = await place.status();
  const { deployments = [] } = environments.find(({ name }) => name === environment) ?? {};
  const one = deployments.find(each => each.model === model);
  if (!one) throw new Error(`status knows nothing of ${environment}/${model}`);
  return one;
}

/** The one version that has all the traffic once nothing is under way there, if it fits. */
export function settledOn(
  ground: Ground,
  {
    environment,
    model,
    what,
    fits,
    withinMs,
  }: {
    environment: Environment;
    model: Model;
    what: string;
    fits: (version: string) => boolean;
    withinMs: number;
  },
): Promise<string> {
  return found(what, withinMs, ground.signal, async () => {
    const { phase, version, backends } = await deployment(ground, environment, model);
    const [only, ...others] = backends;
    if (phase !== 'steady' || others.length > 0 || only?.state !== 'ready' || only.weight !== 100)
      return null;
    return only.version === version && fits(only.version) ? only.version : null;
  });
}

export function event(
  { chronicle, signal }: Ground,
  what: string,
  withinMs: number,
  fits: (event: ToldEvent) => boolean,
): Promise<ToldEvent> {
  return found(what, withinMs, signal, () => chronicle.events.find(fits));
}

export function commit(
  { commits, signal }: Ground,
  what: string,
  withinMs: number,
  fits: (commit: Commit) => boolean,
): Promise<Commit> {
  return found(what, withinMs, signal, () => commits.commits.find(fits));
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
