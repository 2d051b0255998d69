import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Backend, ModelName, RevisionId } from '@switchback-ml/schemas';
import type { BatcherState } from '../batching/batcher.ts';
import { capacityRows } from '../batching/capacity.ts';
import type { Clock } from '../clock.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError } from '../error.ts';
import type { Revision } from '../loading/revision.ts';
import type { AppliedRoute } from '../routing/apply.ts';
import { pickShadow } from '../routing/choose-backend.ts';
import type { DecodedRequest, InferenceCall } from './call.ts';
import { largestDifference } from './difference.ts';

/** Copies under way at once; beyond, they are dropped: a slow candidate must not fill the memory. */
const MOST_COPIES = 64;
/** After every request that somebody waits for. */
const LAST_OF_ALL = Number.POSITIVE_INFINITY;
/** Of the rows that may wait for a candidate: the others are for requests of its own, which no copy may turn away. */
const SHARE_OF_QUEUE = 0.5;
/** Whoever asked may be gone: the copy is for us. */
const NOBODY = { isGone: false };
/** Said of what was not begun: that there was no room for a copy tells nothing of the candidate. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['E_DEADLINE', 'E_MODEL_NOT_READY', 'E_OVERLOADED']);

export type ShadowOutcome =
  /** `difference`: of `largestDifference`. */
  | { kind: 'compared'; difference: number | null }
  /** It could not take the request, or began and did not answer. */
  | { kind: 'failed' }
  /** It was never begun. */
  | { kind: 'dropped' };

/** As much of a loaded revision as a copy needs. */
export interface Candidate extends Pick<Revision, 'state' | 'infer'> {
  readonly queue: Pick<BatcherState, 'waitingRows'>;
}

export interface ShadowingOptions {
  loaded: { find: (model: ModelName, revision: RevisionId) => Candidate | undefined };
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

  /**
   * Returns at once, having read nothing: the copy begins in the next turn of the event loop, when the answer is on its
   * way. Nobody waits for it, and the answer that was given is not touched.
   */
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
    if (this.#copies.size >= MOST_COPIES) return this.#options.onShadow(name, backend, { kind: 'dropped' });
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

  /** Never rejects. */
  async #run(
    model: ModelName,
    request: DecodedRequest,
    backend: Backend,
    given: Tensors,
  ): Promise<ShadowOutcome> {
    await nextTurn();
    const revision = this.#options.loaded.find(model, backend.revision);
    if (revision?.state !== 'ready') return { kind: 'dropped' };
    try {
      const { inputs, rows } = request.read(backend);
      if (!hasRoom(revision, backend, rows)) return { kind: 'dropped' };
      const deadline = this.#options.clock.elapsed() + backend.limits.timeoutMs;
      const work = { inputs, rows, alone: false, deadline, priority: LAST_OF_ALL, caller: NOBODY };
      const { outputs } = await revision.infer(work);
      return { kind: 'compared', difference: largestDifference(given, outputs) };
    } catch (error) {
      return { kind: NOT_BEGUN.has(asSwitchbackError(error).code) ? 'dropped' : 'failed' };
    }
  }
}

function hasRoom({ queue }: Candidate, { limits }: Backend, rows: number): boolean {
  return queue.waitingRows + rows <= capacityRows(limits) * SHARE_OF_QUEUE;
}
