import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../batching/work.ts';
import type { SwitchbackError } from '../error.ts';
import type { Message } from '../inference/call.ts';
import type { Log } from '../log.ts';
import { authenticate } from './access.ts';
import { type Answering, type HttpAnswer, known, refusal } from './answering.ts';
import { type BodyLimits, readBody } from './body.ts';
import type { Target } from './protocol/http.ts';

export interface DoorOptions {
  answer: Answering;
  find: (url: string) => Target | null;
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  limits: BodyLimits;
  /** Whether connections are to be given up after their next answer. */
  isDraining: () => boolean;
  log: Log;
}

/** Answers the request if it is for inference; false: it is somebody else's. */
export type Door = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The way in for inference that came through Node's own HTTP server, before the framework's router. */
export function inferenceDoor(options: DoorOptions): Door {
  return (request, response) => {
    const target = request.method === 'POST' ? options.find(request.url!) : null;
    if (target === null) return false;
    void serve(options, target, request, response);
    return true;
  };
}

/** Never rejects. */
async function serve(
  options: DoorOptions,
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const message = await receive(options, request);
  const answer =
    message instanceof HttpMessage
      ? await options.answer(target, message, new HttpCaller(response))
      : refusal(target, message);
  send(response, answer, options.isDraining());
}

async function receive(
  { keys, limits, log }: DoorOptions,
  request: IncomingMessage,
): Promise<HttpMessage | SwitchbackError> {
  try {
    authenticate(request.headers.authorization, keys());
    return new HttpMessage(request, await readBody(request, limits));
  } catch (thrown) {
    return known(thrown, log);
  }
}

class HttpMessage implements Message {
  readonly body: Buffer;
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage, body: Buffer) {
    this.#request = request;
    this.body = body;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : value?.[0];
  }
}

/** Looked at before each stage rather than listened to: nothing is spent on callers who stay. */
class HttpCaller implements Caller {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get isGone(): boolean {
    return this.#response.destroyed || this.#response.socket === null;
  }
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer, isDraining: boolean): void {
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  // What is left of a body that was refused before its end is not read on.
  const isLast = isDraining || !response.req.complete;
  const more = ['content-length', String(bytes), ...(isLast ? ['connection', 'close'] : [])];
  response.writeHead(status, [...headers, ...more]);
  if (typeof body === 'string' && body.length === bytes) response.end(body, 'latin1');
  else response.end(body);
}
