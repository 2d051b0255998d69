import type { handleUnaryCall, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Caller } from '../../batching/work.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import type { Message } from '../../inference/call.ts';
import type { Inference } from '../../inference/inference.ts';
import type { Log } from '../../log.ts';
import { known } from '../answering.ts';
import { grpcMessages, readAddress } from './message/protocol.ts';
import { answeredBy, BY_FALLBACK, refusal } from './refusal.ts';

export interface InferOptions {
  inference: Inference;
  clock: Clock;
  log: Log;
}

type Respond = sendUnaryData<Buffer>;

/** ModelInfer, on messages that are still bytes. */
export function modelInfer(options: InferOptions): handleUnaryCall<Buffer, Buffer> {
  return (call, respond) => void answer(options, call, respond);
}

/** Never rejects. */
async function answer(
  options: InferOptions,
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
  { inference, clock, log }: InferOptions,
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
    if (outcome.kind === 'failed') return respond => respond(refusal(outcome.error, outcome.backend));
    return respond => {
      call.sendMetadata(outcome.kind === 'fallback' ? BY_FALLBACK : answeredBy(outcome.backend!));
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
