import type { EnvironmentName, RuntimeObservation } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { HeardWords } from '../heard-words.ts';
import type { Observation } from '../observation.ts';

export interface MemoryObservation extends Observation {
  /** What a runtime would have said now. */
  say(environment: EnvironmentName, observation: RuntimeObservation): void;
}

/** Observation of runtimes that are only told of. */
export function memoryObservation({ clock }: { clock: Clock }): MemoryObservation {
  const words = new HeardWords(clock);
  return {
    say: (environment, observation) => words.hear(environment, structuredClone(observation)),
    latest: () => words.latest(),
    onChange: listener => words.onChange(listener),
    [Symbol.asyncDispose]: async () => words.close(),
  };
}
