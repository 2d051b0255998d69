import type { Backend, ModelName } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { Tensors } from '../engine/tensor.ts';
import type { LoadedSet } from '../loaded-set.ts';
import type { AppliedRoute } from '../routing/apply.ts';
import { pickShadow } from '../routing/choose-backend.ts';
import type { DecodedRequest, InferenceCall } from './call.ts';
import { largestDifference } from './difference.ts';

/** Copies under way at once; beyond, they are dropped: a slow candidate must not fill the memory. */
const MOST_COPIES = 64;
/** After every request that somebody waits for. */
const LAST_OF_ALL = Number.POSITIVE_INFINITY;
const NOBODY = { isGone: false };

export type ShadowOutcome =
  /** `difference`: the largest between any two elements, relative to the larger; 0: all the same, null: can't be compared. */
  { kind: 'compared'; difference: number | null } | { kind: 'failed' } | { kind: 'dropped' };

export interface ShadowingOptions {
  loaded: LoadedSet;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  onShadow: (model: ModelName, backend: Backend, outcome: ShadowOutcome) => void;
}

/** Gives candidates copies of answered requests, and holds their answers against those that were given. */
export class Shadowing {
  readonly #options: ShadowingOptions;
  readonly #copies = new Set<Promise<void>>();

  constructor(options: ShadowingOptions) {
    this.#options = options;
  }

  /** Returns at once; the answer that was given is not touched, and nobody waits. */
  copy(
    { model }: InferenceCall,
    request: DecodedRequest,
    route: AppliedRoute,
    answered: { backend: Backend; outputs: Tensors },
  ): void {
    if (route.choice.shadow === null) return;
    const backend = pickShadow(route, answered.backend, this.#options.random());
    if (backend === undefined) return;
    const name = model as ModelName;
    if (this.#copies.size >= MOST_COPIES || !this.#options.loaded.isReady(name, backend.revision))
      return this.#options.onShadow(name, backend, { kind: 'dropped' });
    const copy = this.#run(name, request, backend, answered.outputs).then(outcome => {
      this.#copies.delete(copy);
      this.#options.onShadow(name, backend, outcome);
    });
    this.#copies.add(copy);
  }

  /** Resolves once no copy is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#copies);
  }

  /** Never rejects: a candidate that can't take or answer the request has failed at it. */
  async #run(
    model: ModelName,
    request: DecodedRequest,
    backend: Backend,
    given: Tensors,
  ): Promise<ShadowOutcome> {
    try {
      const { inputs, rows } = request.read(backend);
      const deadline = this.#options.clock.elapsed() + backend.limits.timeoutMs;
      const revision = this.#options.loaded.find(model, backend.revision)!;
      const work = { inputs, rows, alone: false, deadline, priority: LAST_OF_ALL, caller: NOBODY };
      const { outputs } = await revision.infer(work);
      return { kind: 'compared', difference: largestDifference(given, outputs) };
    } catch {
      return { kind: 'failed' };
    }
  }
}
