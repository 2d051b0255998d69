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
import { blameOf } from './blame.ts';
import type { DecodedRequest, InferenceCall, InferenceInput } from './call.ts';
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
  | FailedTo;

export interface FailedTo {
  kind: 'failed';
  backend: Backend;
  /** Null where they could not be read. */
  inputs: Tensors | null;
  error: SwitchbackError;
  /** By the clock's `elapsed`. */
  began: number;
  tookMs: number;
}

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
  let work: Work | null = null;
  try {
    const input = read(options, request, backend, journey, began);
    work = workOf(call, request, input, journey);
    const ran = await run(options, revision, call, work, backend);
    note(ran, journey);
    const { outputs } = ran;
    const nonFinite = nonFiniteOutputs(outputs);
    count(options, call.model as ModelName, backend, revision, began, { outputs, nonFinite }, journey);
    return { kind: 'answered', backend, inputs: work.inputs, outputs, nonFinite };
  } catch (thrown) {
    const error = asSwitchbackError(thrown);
    const deadline = work?.deadline ?? began;
    const blame = blameOf({ error, backend, revision, rows: journey.rows, began, deadline });
    if (blame === 'failed') count(options, call.model as ModelName, backend, revision, began, null, journey);
    if (blame === 'late') countWait(options, call.model as ModelName, backend, deadline - began, journey);
    const tookMs = options.clock.elapsed() - began;
    return { kind: 'failed', backend, inputs: work?.inputs ?? null, error, began, tookMs };
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

function read(
  { clock }: AttemptOptions,
  request: DecodedRequest,
  backend: Backend,
  { stages }: Journey,
  began: number,
): InferenceInput {
  try {
    return request.read(backend);
  } finally {
    stages.parseMs += clock.elapsed() - began;
  }
}

function workOf(
  call: InferenceCall,
  request: DecodedRequest,
  { inputs, rows }: InferenceInput,
  journey: Journey,
): Work {
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

function note({ batchRows, batch, queueMs, batchMs, runMs }: Ran, journey: Journey): void {
  const { stages } = journey;
  journey.batchRows = batchRows;
  journey.batch = batch ?? null;
  stages.queueMs = queueMs;
  stages.batchMs = batchMs;
  stages.runMs = runMs;
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

/** What a request waited for its revision to wake is not counted: it slept for want of memory on this machine. */
function count(
  { counts, metrics, clock }: AttemptOptions,
  model: ModelName,
  backend: Backend,
  revision: Revision | undefined,
  began: number,
  answer: Parameters<Counts['add']>[0]['answer'],
  { by }: Journey,
): void {
  if (isNoSample(by)) return;
  const durationMs = clock.elapsed() - Math.max(began, revision?.wokeAt ?? began);
  counts.add({ model, backend, durationMs, answer });
  const outcome = answer === null ? 'failed' : answer.nonFinite.length === 0 ? 'answered' : 'non-finite';
  metrics.attempt(model, backend.version, outcome, durationMs / 1000);
}

function countWait(
  { counts }: AttemptOptions,
  model: ModelName,
  backend: Backend,
  waitedMs: number,
  { by }: Journey,
): void {
  if (!isNoSample(by)) counts.addWait({ model, backend, waitedMs });
}

/** A request that was sent to a revision by name is no sample of its traffic. */
function isNoSample(by: Journey['by']): boolean {
  return by === 'version' || by === 'match';
}
