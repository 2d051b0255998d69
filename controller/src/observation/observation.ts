import type { EnvironmentName, Instant, RuntimeObservation } from '@switchback-ml/schemas';

/** The latest word of each instance. `heardAt` is ours, so that a wrong clock over there harms nothing. */
export interface Heard {
  environment: EnvironmentName;
  observation: RuntimeObservation;
  heardAt: Instant;
}

export interface Observed {
  /** One an instance, also of instances that fell silent; `heardAt` tells. */
  heard: readonly Heard[];
}

/** Where to look: kept current by the composition root from what actuation knows. */
export interface RuntimeAddress {
  environment: EnvironmentName;
  address: string;
}

/**
 * Publishes the latest counts and attests of every runtime with their age. Each instance is asked on its own, so
 * that a hung one delays no other.
 */
export interface Observation extends AsyncDisposable {
  latest(): Observed;
  /** Called after every new word; the listener must return at once. */
  onChange(listener: () => void): void;
}
