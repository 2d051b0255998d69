import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import { asSwitchbackError, SwitchbackError } from '../../error.ts';
import { statusOf } from '../../front/status.ts';
import { readTimeoutMs } from '../../inference/deadline.ts';
import { HOP_BY_HOP } from '../answer-head.ts';
import type { Fleet, Route } from '../fleet/fleet.ts';
import { ANSWER_TIMEOUT_MS } from '../limits.ts';
import { refuse, tooLate } from '../refuse.ts';
import { isPassedOn } from '../request-head.ts';
import { type Answered, ask } from './ask.ts';
import { collectBody, Reservation } from './body.ts';

export interface PassageOptions {
  fleet: Fleet;
  elapsed: () => number;
  held: { bytes: number };
  isDraining: () => boolean;
  /** How long a client may take nothing of what is written, in milliseconds. */
  patienceMs: { reader: number };
}

export type Passage = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The way of everything that is not plain inference, by the server and the client of Node. Never rejects. */
export function passage(options: PassageOptions): Passage {
  return async (request, response) => {
    const route = options.fleet.route(request.url!, request.headers.host);
    const reservation = new Reservation(options.held);
    try {
      refuseTwoHosts(request);
      if (route === null) throw nothingThere(request);
      if (!VERBS.has(request.method!)) throw notThisVerb(request.method!);
      await pass(options, route, request, response, reservation);
    } catch (error) {
      sendRefusal(options, route, asSwitchbackError(error), response);
    } finally {
      reservation.free();
    }
  };
}

const VERBS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

async function pass(
  options: PassageOptions,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  reservation: Reservation,
): Promise<void> {
  const arrivedAt = options.elapsed();
  const timeoutMs = readTimeoutMs(one(request.headers[TIMEOUT_HEADER]));
  const body = await collectBody(request, reservation);
  const ended = new AbortController();
  const isLate = AbortSignal.timeout(timeoutMs ?? ANSWER_TIMEOUT_MS);
  response.once('close', () => ended.abort());
  const signal = AbortSignal.any([ended.signal, isLate]);
  const outgoing = { method: request.method!, path: route.path, headers: headersOf(request, body), body };
  const { group } = route;
  group.arrived(arrivedAt);
  const timeLeft = (): number | null =>
    timeoutMs === null ? null : timeoutMs - Math.round(options.elapsed() - arrivedAt);
  const outcome = await ask({ ...options, timeLeft }, route, outgoing, signal);
  if (response.closed || response.destroyed) return group.tally.gone();
  if (outcome instanceof SwitchbackError) {
    const error = isLate.aborted ? tooLate(timeoutMs ?? ANSWER_TIMEOUT_MS) : outcome;
    group.tally.answered(statusOf(error.code), options.elapsed() - arrivedAt);
    return sendRefusal(options, route, error, response);
  }
  group.tally.answered(outcome.answer.statusCode!, options.elapsed() - arrivedAt);
  await sendAnswer(options, outcome, response);
}

async function sendAnswer(
  { isDraining, patienceMs }: PassageOptions,
  { answer, body }: Answered,
  response: ServerResponse,
): Promise<void> {
  const headers = passedOn(answer.rawHeaders, name => !HOP_BY_HOP.has(name));
  const isLast = isDraining() || wantsUpgrade(response.req);
  response.setTimeout(patienceMs.reader, () => response.destroy());
  response.writeHead(answer.statusCode!, [...headers, ...(isLast ? ['connection', 'close'] : [])]);
  if (body !== null) return void response.end(body);
  // An answer that breaks off, or a client that goes away: both connections are given up.
  await pipeline(answer, response).catch(() => response.destroy());
}

function sendRefusal(
  { isDraining }: PassageOptions,
  route: Route | null,
  error: SwitchbackError,
  response: ServerResponse,
): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { status, headers, body } = refuse(route?.target ?? null, error);
  const length = Buffer.byteLength(body);
  // What is left of a body that was refused before its end, or of a request that is none, is not read on.
  const isClear = response.req.complete && error.code !== 'E_BODY' && !wantsUpgrade(response.req);
  const isLast = isDraining() || !isClear;
  response.writeHead(status, [
    ...headers,
    ...['content-length', String(length)],
    ...(isLast ? ['connection', 'close'] : []),
  ]);
  response.end(body);
}

/** What follows such a request is read by nobody: Node leaves it to whoever would upgrade. */
function wantsUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined;
}

/** Names and values in turn. Where the body ends is said anew, whatever was said of it. */
function headersOf(request: IncomingMessage, body: Buffer): string[] {
  const { headers: read, rawHeaders, socket } = request;
  const nominated = new Set((read.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const headers = passedOn(
    rawHeaders,
    name => isPassedOn(name) && !nominated.has(name) && name !== 'content-length',
  );
  if (read.host === undefined) headers.push('host', 'gateway');
  if (body.length > 0 || read['content-length'] !== undefined || request.method === 'POST')
    headers.push('content-length', String(body.length));
  headers.push('x-forwarded-for', (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, ''));
  return headers;
}

function passedOn(raw: readonly string[], isKept: (name: string) => boolean): string[] {
  const headers: string[] = [];
  for (let index = 0; index < raw.length; index += 2)
    if (isKept(raw[index]!.toLowerCase())) headers.push(raw[index]!, raw[index + 1]!);
  return headers;
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** Which of them counts could be seen otherwise further on (RFC 9112, 3.2). */
function refuseTwoHosts({ rawHeaders }: IncomingMessage): void {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]!.toLowerCase() === 'host') hosts++;
  if (hosts > 1) throw new SwitchbackError('E_BODY', 'The request has more than one Host header: send one.');
}

function nothingThere({ method, url }: IncomingMessage): SwitchbackError {
  return new SwitchbackError(
    'E_NOT_FOUND',
    `There is nothing at ${method} ${url!.slice(0, 200)}. Where several environments are served, the address begins with one: /prod/v2/models, for example.`,
  );
}

function notThisVerb(method: string): SwitchbackError {
  return new SwitchbackError('E_METHOD', `${method.slice(0, 20)} is not passed on by this address.`);
}
