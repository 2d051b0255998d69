import { STATUS_CODES } from 'node:http';
import { ANSWERED_BY, type Backend, TOLD_BY } from '@switchback-ml/schemas';
import type { Caller } from '../batching/work.ts';
import type { Clock } from '../clock.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import { listed, nearest } from '../inference/backends.ts';
import type { Message } from '../inference/call.ts';
import { FALLBACK } from '../inference/fallback.ts';
import type { Inference } from '../inference/inference.ts';
import type { InferenceOutcome } from '../inference/outcome.ts';
import type { Log } from '../log.ts';
import { answeredBy } from '../telemetry/answered-by.ts';
import { serverTiming } from '../telemetry/timing.ts';
import { rememberedAccepted } from './accept-encoding.ts';
import { compressed } from './compression.ts';
import type { HttpAnswer, Target } from './protocol/http.ts';
import { retryAfterOf, statusOf } from './status.ts';

export type { HttpAnswer } from './protocol/http.ts';

export interface AnsweringOptions {
  inference: Inference;
  /** Of the snapshot that is served from; undefined: there is none yet. */
  commit: () => string | undefined;
  clock: Clock;
  log: Log;
}

/**
 * From a request that is there whole, and whose sender may ask, to its answer as that takes it; at once where that
 * needs nobody. Neither throws nor rejects.
 */
export type Answering = (
  target: Target,
  message: Message,
  caller: Caller,
) => HttpAnswer | Promise<HttpAnswer>;

export function answering(options: AnsweringOptions): Answering {
  const { inference, clock, log, commit } = options;
  const toldBy = answeredBy();
  const acceptedOf = rememberedAccepted();
  const refuse = rememberedRefusal();
  const said = (target: Target, outcome: InferenceOutcome): HttpAnswer => {
    const by = outcome.backend === null ? NOBODY : toldBy(outcome.backend, commit());
    return outcome.kind === 'failed' ? refuse(target, outcome, by) : answerOf(outcome, by);
  };
  // What was wrong with the request itself is told with an example that this model takes.
  const wrong = (target: Target, model: string, thrown: unknown): HttpAnswer => {
    const asked = inference.describe(model, target.version);
    return refusal(target, known(thrown, log), asked instanceof SwitchbackError ? null : asked);
  };
  return (target, message, caller) => {
    const fit = (answer: HttpAnswer): HttpAnswer | Promise<HttpAnswer> => {
      const accepted = acceptedOf(message.header('accept-encoding'));
      return answer.body.length < accepted.fromBytes ? answer : compressed(answer, accepted);
    };
    let model = '';
    try {
      model = target.model ?? onlyModel(inference);
      const { version, protocol } = target;
      const arrivedAt = clock.elapsed();
      const outcome = inference.infer({ model, version, message, protocol, caller, arrivedAt });
      if (!(outcome instanceof Promise)) return fit(said(target, outcome));
      return outcome
        .then(settled => fit(said(target, settled)))
        .catch((thrown: unknown) => fit(wrong(target, model, thrown)));
    } catch (thrown) {
      return fit(wrong(target, model, thrown));
    }
  };
}

const NOBODY: readonly string[] = [];

/** `by`: headers that name who answered. */
function answerOf(outcome: Exclude<InferenceOutcome, { kind: 'failed' }>, by: readonly string[]): HttpAnswer {
  const { headers, body } = outcome.reply;
  if (outcome.kind === 'fallback') return { status: 200, headers: [...headers, ...BY_FALLBACK], body };
  const { from, stages, predictionId } = outcome.journey;
  const all = [...headers, ...by, TOLD_BY.timing, serverTiming(stages)];
  if (from !== 'engine') all.push(ANSWERED_BY.from, from);
  if (predictionId !== null) all.push(TOLD_BY.predictionId, predictionId);
  return { status: 200, headers: all, body };
}

/** Any error as an answer, in the shape of the protocol that was spoken to; `example` as `printError` has it. */
export function refusal(
  { protocol }: Target,
  error: SwitchbackError,
  example: Backend | null = null,
): HttpAnswer {
  const { headers, body } = protocol.printError(error, example);
  const retryAfter = retryAfterOf(error);
  return {
    status: statusOf(error.code),
    headers: retryAfter === undefined ? headers : [...headers, 'retry-after', String(retryAfter)],
    body,
  };
}

type Refuse = (
  target: Target,
  failed: Extract<InferenceOutcome, { kind: 'failed' }>,
  by: readonly string[],
) => HttpAnswer;

/** One answer for all who are told the very same by the same: under overload these are many in a moment. */
function rememberedRefusal(): Refuse {
  let last: { error: SwitchbackError; protocol: Target['protocol']; by: readonly string[] } | null = null;
  let answer: HttpAnswer;
  return (target, { error, backend }, by) => {
    const { protocol } = target;
    if (last?.error === error && last.protocol === protocol && last.by === by) return answer;
    const { status, headers, body } = refusal(target, error, backend);
    last = { error, protocol, by };
    answer = { status, headers: [...headers, ...by], body };
    return answer;
  };
}

const BY_FALLBACK = [ANSWERED_BY.version, FALLBACK];

/** `HTTP/1.1 200 OK` */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

/** A surprise is told to the log and to nobody else. */
export function known(thrown: unknown, log: Log): SwitchbackError {
  if (thrown instanceof SwitchbackError) return thrown;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  log.error({ reason: messageOf(thrown), stack }, 'request failed unexpectedly');
  return new SwitchbackError('E_INTERNAL', 'This is a fault of the server; its log says more.');
}

/** An address may leave the model out where there is but one. */
function onlyModel(inference: Inference): string {
  const models = inference.models();
  if (models.length === 1) return models[0]!;
  const some = nearest('', models);
  const message =
    models.length === 0
      ? 'This address names no model, and there is none yet.'
      : `This address names no model, and there are several: ${listed(some, models.length)}.`;
  throw new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { models: some, count: models.length } });
}
