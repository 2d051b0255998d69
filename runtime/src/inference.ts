import type { Backend, ModelName, VersionLabel } from '@switchback-ml/schemas';
import type { Clock } from './clock.ts';
import type { Tensors } from './engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from './error.ts';
import type { LoadedSet } from './loaded-set.ts';
import type { Revision } from './loading/revision.ts';
import { chooseBackend } from './routing/choose.ts';
import type { Serving } from './serving.ts';
import { type Answer, type Counts, nonFiniteOutputs } from './telemetry/counts.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** One request as the service sees it, whatever protocol it came by. */
export interface InferenceCall {
  model: string;
  /** Addressed by name; null: the route decides. */
  version: string | null;
  /** Reads the request's tensors for the revision that shall answer; throws E_INPUT. */
  read(backend: Backend): { inputs: Tensors; rows: number };
}

export type InferenceOutcome =
  | { kind: 'answered'; backend: Backend; outputs: Tensors; nonFinite: readonly string[] }
  /** `backend` is the one that failed last; null when it did not come to one. */
  | { kind: 'failed'; backend: Backend | null; error: SwitchbackError };

export interface InferenceOptions {
  serving: Serving;
  loaded: LoadedSet;
  counts: Counts;
  metrics: Metrics;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
}

export interface Inference {
  infer(call: InferenceCall): Promise<InferenceOutcome>;
  /** The backend that tells what a model takes: a version's own, or the one with most traffic. */
  describe(model: string, version: string | null): Backend | SwitchbackError;
  versions(model: string): VersionLabel[];
}

export function inference(options: InferenceOptions): Inference {
  return {
    async infer(call) {
      const backend = pick(options, call);
      if (backend instanceof SwitchbackError) return { kind: 'failed', backend: null, error: backend };
      return attemptAndRetry(options, call, backend);
    },
    describe: (model, version) => describe(options, model, version),
    versions: model => versionsOf(options, model),
  };
}

function pick(options: InferenceOptions, { model, version }: InferenceCall): Backend | SwitchbackError {
  if (version !== null) return describe(options, model, version);
  const route = options.serving.routes.get(model as ModelName);
  return chooseBackend(route?.backends ?? [], options.random()) ?? notServed(options, model, version);
}

function describe(
  options: InferenceOptions,
  model: string,
  version: string | null,
): Backend | SwitchbackError {
  const backends = backendsOf(options, model);
  const found =
    version === null
      ? backends.toSorted((a, b) => b.weight - a.weight)[0]
      : backends.find(backend => backend.version === version);
  return found ?? notServed(options, model, version);
}

/** Of the route as it is applied; then what the newest snapshot has besides. */
function backendsOf({ serving }: InferenceOptions, model: string): Backend[] {
  const name = model as ModelName;
  const applied = serving.routes.get(name)?.backends ?? [];
  const wanted = Object.hasOwn(serving.snapshot?.routes ?? {}, model)
    ? serving.snapshot!.routes[name]!.backends
    : [];
  return [
    ...applied,
    ...wanted.filter(({ revision }) => applied.every(known => known.revision !== revision)),
  ];
}

function versionsOf(options: InferenceOptions, model: string): VersionLabel[] {
  return [...new Set(backendsOf(options, model).map(({ version }) => version))];
}

function notServed(options: InferenceOptions, model: string, version: string | null): SwitchbackError {
  const versions = versionsOf(options, model);
  if (version !== null && versions.length > 0) {
    const message = `Model "${model}" has no version "${version}" here; it has ${versions.join(', ')}.`;
    return new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { versions } });
  }
  if (versions.length > 0)
    return new SwitchbackError(
      'E_MODEL_NOT_READY',
      `No version of model "${model}" is ready yet; try again in a moment.`,
    );
  const models = Object.keys(options.serving.snapshot?.routes ?? {});
  const message = `There is no model "${model}" here; there is ${models.join(', ') || 'none'}.`;
  return new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { models } });
}

/**
 * A request that an engine failed gets one more try, on a sibling that shares the route's traffic, else on the same
 * revision once its engine is replaced. The second try goes alone, so that a request which kills engines takes
 * nobody with it, and is the last: nobody is aboard a third.
 */
async function attemptAndRetry(
  options: InferenceOptions,
  call: InferenceCall,
  first: Backend,
): Promise<InferenceOutcome> {
  const outcome = await attempt(options, call, first, false);
  if (outcome.kind === 'answered' || call.version !== null) return outcome;
  const { code } = outcome.error;
  if (code !== 'E_ENGINE_DIED' && code !== 'E_ENGINE_TIMEOUT' && code !== 'E_MODEL_NOT_READY') return outcome;

  const model = call.model as ModelName;
  const others = (options.serving.routes.get(model)?.backends ?? []).filter(
    ({ revision, weight }) =>
      weight > 0 && revision !== first.revision && options.loaded.isReady(model, revision),
  );
  const sibling = chooseBackend(others, options.random());
  const second = sibling ?? (code === 'E_ENGINE_DIED' ? first : undefined);
  if (second === undefined || !fits(call, second)) return outcome;
  return attempt(options, call, second, true);
}

/** A sibling may take other inputs; the request was made for one that it fits. */
function fits(call: InferenceCall, backend: Backend): boolean {
  try {
    call.read(backend);
    return true;
  } catch {
    return false;
  }
}

async function attempt(
  options: InferenceOptions,
  call: InferenceCall,
  backend: Backend,
  alone: boolean,
): Promise<InferenceOutcome> {
  const model = call.model as ModelName;
  const began = options.clock.elapsed();
  const revision = options.loaded.find(model, backend.revision);
  try {
    const { inputs, rows } = call.read(backend);
    const outputs = await run(revision, inputs, rows, alone, hasSibling(options, call, backend));
    const nonFinite = nonFiniteOutputs(outputs);
    count(options, call, backend, began, { outputs, nonFinite });
    return { kind: 'answered', backend, outputs, nonFinite };
  } catch (thrown) {
    const error = asSwitchbackError(thrown);
    if (saysSomething(error, revision)) count(options, call, backend, began, null);
    return { kind: 'failed', backend, error };
  }
}

/**
 * What is the caller's, or our own shortness, says nothing about the revision. Nor does a request that met an engine
 * being replaced and went elsewhere: those aboard when it died are counted, so that one death weighs as one.
 */
function saysSomething({ code }: SwitchbackError, revision: Revision | undefined): boolean {
  if (code === 'E_INPUT' || code === 'E_OVERLOADED') return false;
  return code !== 'E_MODEL_NOT_READY' || revision?.isRecovering !== true;
}

/** While an engine is replaced, a request waits for it only where nobody else can answer. */
async function run(
  revision: Revision | undefined,
  inputs: Tensors,
  rows: number,
  alone: boolean,
  canGoElsewhere: boolean,
): Promise<Tensors> {
  const mayWait = revision?.isRecovering === true && !canGoElsewhere;
  if (revision !== undefined && (revision.state === 'ready' || mayWait))
    return revision.infer(inputs, rows, alone);
  throw (
    revision?.refusal ??
    new SwitchbackError('E_MODEL_NOT_READY', 'This version is not ready; try again in a moment.')
  );
}

function hasSibling({ serving, loaded }: InferenceOptions, call: InferenceCall, backend: Backend): boolean {
  const model = call.model as ModelName;
  if (call.version !== null) return false;
  return (serving.routes.get(model)?.backends ?? []).some(
    ({ revision, weight }) => weight > 0 && revision !== backend.revision && loaded.isReady(model, revision),
  );
}

function count(
  { counts, metrics, clock }: InferenceOptions,
  call: InferenceCall,
  backend: Backend,
  began: number,
  answer: Answer | null,
): void {
  if (call.version !== null) return;
  const model = call.model as ModelName;
  const durationMs = clock.elapsed() - began;
  counts.add({ model, backend, durationMs, answer });
  const outcome = answer === null ? 'failed' : answer.nonFinite.length === 0 ? 'answered' : 'non-finite';
  metrics.attempt(model, backend.version, outcome, durationMs / 1000);
}
