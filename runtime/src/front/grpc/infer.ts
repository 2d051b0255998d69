import type { handleUnaryCall, Metadata, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Backend } from '@switchback-ml/schemas';
import type { Caller } from '../../batching/work.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import type { Message } from '../../inference/call.ts';
import type { Inference } from '../../inference/inference.ts';
import type { Log } from '../../log.ts';
import { known } from '../answering.ts';
import { BY_FALLBACK, metadataOfAnswered } from './answered-by.ts';
import { grpcMessages, readAddress } from './message/protocol.ts';
import { refusal } from './refusal.ts';

export interface InferOptions {
  inference: Inference;
  /** Of the snapshot that is served from; undefined: there is none yet. */
  commit: () => string | undefined;
  clock: Clock;
  log: Log;
}

type Respond = sendUnaryData<Buffer>;

/** ModelInfer, on messages that are still bytes. */
export function modelInfer(options: InferOptions): handleUnaryCall<Buffer, Buffer> {
  const toldBy = metadataOfAnswered(options.commit);
  const answering = { ...options, toldBy };
  return (call, respond) => void answer(answering, call, respond);
}

interface Answering extends InferOptions {
  toldBy: (backend: Backend) => Metadata;
}

/** Never rejects. */
async function answer(
  options: Answering,
  call: ServerUnaryCall<Buffer, Buffer>,
  respond: Respond,
): Promise<void> {
  const send = await outcomeOf(options, call);
  try {
    send(respond);
  } catch (error) {
    // The connection is in a state that nobody foresaw; there is nobody to tell but the log.
    options.log.warn({ reason: messageOf(error) }, 'answer could not be sent over gRPC');
  }
}

async function outcomeOf(
  { inference, clock, log, toldBy }: Answering,
  call: ServerUnaryCall<Buffer, Buffer>,
): Promise<(respond: Respond) => void> {
  try {
    const { model, version } = readAddress(call.request);
    const request = new GrpcCall(call, clock);
    const arrivedAt = clock.elapsed();
    const outcome = await inference.infer({
      model,
      version,
      message: request,
      protocol: grpcMessages,
      caller: request,
      arrivedAt,
    });
    const by = outcome.backend === null ? null : toldBy(outcome.backend);
    if (outcome.kind === 'failed') return respond => respond(refusal(outcome.error, by));
    return respond => {
      call.sendMetadata(by ?? BY_FALLBACK);
      respond(null, outcome.reply.body as Buffer);
    };
  } catch (thrown) {
    return respond => respond(refusal(known(thrown, log), null));
  }
}

/** One call, as the message that came and as the caller who waits. */
class GrpcCall implements Message, Caller {
  readonly body: Buffer;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #clock: Clock;

  constructor(call: ServerUnaryCall<Buffer, Buffer>, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    this.body = call.request;
  }

  get isGone(): boolean {
    return this.#call.cancelled;
  }

  header(name: string): string | undefined {
    if (name === 'grpc-timeout') return this.#timeout();
    const [value] = this.#call.metadata.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** The transport takes this header for itself; here is what is left of it. */
  #timeout(): string | undefined {
    const deadline = Number(this.#call.getDeadline());
    if (!Number.isFinite(deadline)) return undefined;
    return `${Math.max(1, Math.ceil(deadline - this.#clock.now()))}m`;
  }
}
