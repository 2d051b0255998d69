import type { Backend, ModelName } from '@switchback-ml/schemas';
import type { Ran, Work } from '../batching/work.ts';
import type { Clock } from '../clock.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import type { LoadedSet } from '../loaded-set.ts';
import type { Revision } from '../loading/revision.ts';
import type { Serving } from '../serving.ts';
import { type Counts, nonFiniteOutputs } from '../telemetry/counts.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DecodedRequest, InferenceCall } from './call.ts';
import { deadlineOf } from './deadline.ts';
import type { Journey } from './journey.ts';

export interface AttemptOptions {
  serving: Serving;
  loaded: LoadedSet;
  counts: Counts;
  metrics: Metrics;
  clock: Clock;
}

/** One try of one revision at one request. */
export type Attempted =
  | {
      kind: 'answered';
      backend: Backend;
      inputs: Tensors;
      outputs: Tensors;
      nonFinite: readonly string[];
    }
  | { kind: 'failed'; backend: Backend; error: SwitchbackError };

/** Counted for its revision, unless it says nothing about it. Another try than the first goes alone. */
export async function attempt(
  options: AttemptOptions,
  call: InferenceCall,
  request: DecodedRequest,
  backend: Backend,
  journey: Journey,
): Promise<Attempted> {
  const began = options.clock.elapsed();
  const revision = options.loaded.find(call.model as ModelName, backend.revision);
  try {
    const work = workOf(call, request, backend, journey);
    journey.stages.parseMs = options.clock.elapsed() - began;
    const { outputs, batchRows, batch, queueMs, runMs } = await run(options, revision, call, work, backend);
    journey.batchRows = batchRows;
    journey.batch = batch ?? null;
    journey.stages.queueMs = queueMs;
    journey.stages.runMs = runMs;
    const nonFinite = nonFiniteOutputs(outputs);
    count(options, call.model as ModelName, backend, revision, began, { outputs, nonFinite }, journey);
    return { kind: 'answered', backend, inputs: work.inputs, outputs, nonFinite };
  } catch (thrown) {
    const error = asSwitchbackError(thrown);
    if (saysSomething(error, revision, began))
      count(options, call.model as ModelName, backend, revision, began, null, journey);
    return { kind: 'failed', backend, error };
  }
}

/** Who of the route may answer at once what fell to another. */
export function standIns(
  { serving, loaded }: Pick<AttemptOptions, 'serving' | 'loaded'>,
  model: ModelName,
  insteadOf: Backend,
): Backend[] {
  const backends = serving.routes.get(model)?.backends ?? [];
  return backends.filter(
    ({ revision, weight }) =>
      weight > 0 && revision !== insteadOf.revision && loaded.isReady(model, revision),
  );
}

function workOf(call: InferenceCall, request: DecodedRequest, backend: Backend, journey: Journey): Work {
  const { inputs, rows } = request.read(backend);
  const deadline = deadlineOf(call, request);
  journey.rows = rows;
  return {
    inputs,
    rows,
    alone: journey.attempts++ > 0,
    deadline,
    priority: request.priority,
    caller: call.caller,
  };
}

/** The caller's doing, or the shortness of the whole machine: nothing that a revision answers for. */
const NOT_ITS_OWN = new Set(['E_INPUT', 'E_OVERLOADED']);

/**
 * Nor does a request say anything whose caller left, whose time was over while a revision woke, or that met an engine
 * being replaced and went elsewhere: those aboard when it died are counted, so that one death weighs as one.
 */
function saysSomething(
  { code, details }: SwitchbackError,
  revision: Revision | undefined,
  began: number,
): boolean {
  if (NOT_ITS_OWN.has(code) || details['isCallerGone'] === true) return false;
  if (code === 'E_DEADLINE' && revision?.wasAsleep(began) === true) return false;
  return code !== 'E_MODEL_NOT_READY' || revision?.isRecovering !== true;
}

/** While an engine is replaced, a request waits for it only where nobody else can answer. */
async function run(
  options: AttemptOptions,
  revision: Revision | undefined,
  { model, version }: InferenceCall,
  work: Work,
  backend: Backend,
): Promise<Ran> {
  if (revision?.state === 'ready') return revision.infer(work);
  const hasSibling = version === null && standIns(options, model as ModelName, backend).length > 0;
  if (revision?.isRecovering === true && !hasSibling) return revision.infer(work);
  throw (
    revision?.refusal ??
    new SwitchbackError('E_MODEL_NOT_READY', 'This version is not ready; try again in a moment.')
  );
}

/**
 * A request that was sent to a revision by name is no sample of its traffic. What it waited for one to wake is not
 * counted: it slept for want of memory on this machine.
 */
function count(
  { counts, metrics, clock }: AttemptOptions,
  model: ModelName,
  backend: Backend,
  revision: Revision | undefined,
  began: number,
  answer: Parameters<Counts['add']>[0]['answer'],
  { by }: Journey,
): void {
  if (by === 'version' || by === 'match') return;
  const durationMs = clock.elapsed() - Math.max(began, revision?.wokeAt ?? began);
  counts.add({ model, backend, durationMs, answer });
  const outcome = answer === null ? 'failed' : answer.nonFinite.length === 0 ? 'answered' : 'non-finite';
  metrics.attempt(model, backend.version, outcome, durationMs / 1000);
}
