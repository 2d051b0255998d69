import type { Backend, ModelName, VersionLabel } from '@switchback-ml/schemas';
import type { ReplyCache } from '../cache/cache.ts';
import type { Tensors } from '../engine/tensor.ts';
import { SwitchbackError } from '../error.ts';
import type { AppliedRoute } from '../routing/apply.ts';
import { chooseBackend } from '../routing/choose-backend.ts';
import { chooseByWeight } from '../routing/choose-by-weight.ts';
import type { PayloadLog } from '../telemetry/payload-log/payload-log.ts';
import { type Attempted, type AttemptOptions, attempt, standIns } from './attempt.ts';
import { describe, notServed, versionsOf } from './backends.ts';
import type { DecodedRequest, InferenceCall } from './call.ts';
import type { Congestion } from './congestion.ts';
import { fallbackReply } from './fallback.ts';
import { type Journey, journeyOf } from './journey.ts';
import { deservesAnotherEngine, type InferenceOutcome } from './outcome.ts';
import { remembered } from './remembered.ts';
import type { Shadowing } from './shadowing.ts';

export interface InferenceOptions extends AttemptOptions {
  /** In [0, 1). */
  random: () => number;
  congestion: Pick<Congestion, 'refusal' | 'enter' | 'leave'>;
  shadowing: Shadowing;
  cache: ReplyCache;
  /** Null: nothing is kept of what was asked. */
  payloads: PayloadLog | null;
  newPredictionId: (revision: string) => string;
}

export interface Inference {
  /**
   * At once for who is turned away unread: under overload these are nearly all, and each promise less is room for one
   * more. Throws, or rejects with, what the protocol throws: E_BODY, E_INPUT. `journey`, a new one, is that of the
   * outcome: whoever hands it in knows of the way of a request that was thrown out, too.
   */
  infer(call: InferenceCall, journey?: Journey): InferenceOutcome | Promise<InferenceOutcome>;
  /** The backend that tells what a model takes: a version's own, or the one with most traffic. */
  describe(model: string, version: string | null): Backend | SwitchbackError;
  versions(model: string): VersionLabel[];
  /** Names of the models that are to be served here. */
  models(): string[];
}

/** A request's way through the service: route, remember, decode, run, count, and elsewhere where that failed. */
export function inference(options: InferenceOptions): Inference {
  const { serving, congestion } = options;
  return {
    infer(call, journey = journeyOf(call)) {
      const { version, model } = call;
      journey.commit = serving.snapshot?.commit ?? null;
      const congested = congestion.refusal();
      if (congested !== null) return { kind: 'failed', backend: null, journey, error: congested };
      const route = version === null ? serving.routes.get(model as ModelName) : undefined;
      const first = choose(options, call, route, journey);
      if (first instanceof SwitchbackError) return { kind: 'failed', backend: null, journey, error: first };
      const unread = first.cache === undefined ? refusalUnread(options, call, first) : null;
      if (unread !== null) return { kind: 'failed', backend: first, journey, error: unread };
      return answer(options, call, route, first, journey);
    },
    describe: (model, version) => describe(serving, model, version),
    versions: model => versionsOf(serving, model),
    models: () => Object.keys(serving.snapshot?.routes ?? {}),
  };
}

async function answer(
  options: InferenceOptions,
  call: InferenceCall,
  route: AppliedRoute | undefined,
  first: Backend,
  journey: Journey,
): Promise<InferenceOutcome> {
  const { congestion, cache } = options;
  congestion.enter();
  try {
    if (first.cache === undefined) return await perform(options, call, route, first, journey);
    const make = async (): Promise<InferenceOutcome> => {
      const error = refusalUnread(options, call, first);
      if (error !== null) return { kind: 'failed', backend: first, journey, error };
      return perform(options, call, route, first, journey);
    };
    return await remembered({ cache, policy: first.cache, backend: first, make }, call, journey);
  } finally {
    congestion.leave();
  }
}

/** Why nothing more is even read for this revision; null: it is. */
function refusalUnread(
  { loaded }: InferenceOptions,
  { model }: InferenceCall,
  { revision }: Backend,
): SwitchbackError | null {
  return loaded.find(model as ModelName, revision)?.refusalUnread() ?? null;
}

async function perform(
  options: InferenceOptions,
  call: InferenceCall,
  route: AppliedRoute | undefined,
  first: Backend,
  journey: Journey,
): Promise<InferenceOutcome> {
  const request = decoded(options, call, journey);
  journey.id = request.id ?? null;
  const tried = await attempt(options, call, request, first, journey);
  const second = tried.kind === 'failed' ? elsewhere(options, call, request, tried) : undefined;
  if (tried.kind === 'answered' || second === undefined)
    return settle(options, call, request, route, tried, journey);
  const { backend, error, began, tookMs } = tried;
  journey.failed = { backend, code: error.code, afterMs: began - call.arrivedAt, tookMs };
  const last = await attempt(options, call, request, second, journey);
  return settle(options, call, request, route, last, journey);
}

/** Here most of a body's numbers are read already. */
function decoded(
  { clock }: InferenceOptions,
  { protocol, message }: InferenceCall,
  { stages }: Journey,
): DecodedRequest {
  const began = clock.elapsed();
  try {
    return protocol.decode(message);
  } finally {
    stages.parseMs = clock.elapsed() - began;
  }
}

function choose(
  { serving, random }: InferenceOptions,
  { model, version, message }: InferenceCall,
  route: AppliedRoute | undefined,
  journey: Journey,
): Backend | SwitchbackError {
  if (version !== null) return describe(serving, model, version);
  const chosen = route && chooseBackend(route, message, random());
  if (chosen === undefined) return notServed(serving, model, version);
  journey.by = chosen.by;
  return chosen.backend;
}

/** What a sibling may make good: the revision's own failures, none that are the caller's or of the whole machine. */
const ITS_OWN = new Set([
  'E_ENGINE_DIED',
  'E_ENGINE_TIMEOUT',
  'E_ENGINE_MEMORY',
  'E_MODEL_NOT_READY',
  'E_INTERNAL',
]);

/**
 * Who may try after this failure: a sibling of the route, else the same revision with another engine, unless it was
 * the request that hung the first. The second try is the last, and goes alone: a request that kills engines takes
 * nobody with it, and is aboard no third.
 */
function elsewhere(
  options: InferenceOptions,
  { model, version }: InferenceCall,
  request: DecodedRequest,
  { backend: first, error }: Attempted & { kind: 'failed' },
): Backend | undefined {
  if (version !== null || !ITS_OWN.has(error.code)) return undefined;
  const sibling = chooseByWeight(standIns(options, model as ModelName, first), options.random());
  const second = sibling ?? (deservesAnotherEngine(error) ? first : undefined);
  return second !== undefined && fits(request, second) ? second : undefined;
}

/** A sibling may take other inputs; the request was made for one that it fits. */
function fits(request: DecodedRequest, backend: Backend): boolean {
  try {
    request.read(backend);
    return true;
  } catch {
    return false;
  }
}

function settle(
  options: InferenceOptions,
  call: InferenceCall,
  request: DecodedRequest,
  route: AppliedRoute | undefined,
  tried: Attempted,
  journey: Journey,
): InferenceOutcome {
  const { backend } = tried;
  if (tried.kind === 'failed') {
    const { error } = tried;
    keepPayload(options, call.model, tried, journey);
    const isOurs = ITS_OWN.has(error.code) && route?.fallback != null;
    const reply = isOurs ? fallbackReply(call.model, request, backend, route.fallback!, journey.rows) : null;
    if (reply === null) return { kind: 'failed', backend, journey, error };
    journey.from = 'fallback';
    return { kind: 'fallback', backend: null, journey, reply, error };
  }
  const began = options.clock.elapsed();
  const { outputs, nonFinite } = tried;
  journey.isNonFinite = nonFinite.length > 0;
  const reply = request.print({ model: call.model, backend, outputs, nonFinite });
  journey.stages.encodeMs = options.clock.elapsed() - began;
  keepPayload(options, call.model, tried, journey);
  if (route !== undefined && journey.by !== 'match')
    options.shadowing.copy(call, request, route, { backend, outputs });
  return { kind: 'answered', backend, journey, reply };
}

/**
 * A sample of what was asked and said, under the id that its caller is told. What could not be read as tensors is not
 * kept: it could not be redacted by their names.
 */
function keepPayload(
  { payloads, newPredictionId }: InferenceOptions,
  model: string,
  tried: Attempted,
  journey: Journey,
): void {
  const { inputs } = tried;
  if (payloads === null || inputs === null || !payloads.picks()) return;
  const { version, revision } = tried.backend;
  const { id, commit } = journey;
  const isAnswered = tried.kind === 'answered';
  const predictionId = isAnswered ? newPredictionId(revision) : null;
  journey.predictionId = predictionId;
  const outputs = isAnswered ? tried.outputs : NO_TENSORS;
  const code = isAnswered ? null : tried.error.code;
  payloads.offer({ predictionId, id, code, commit, model, version, revision, inputs, outputs });
}

const NO_TENSORS: Tensors = new Map();
