import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import { asSwitchbackError, SwitchbackError } from '../../error.ts';
import { statusOf } from '../../front/status.ts';
import { readTimeoutMs } from '../../inference/deadline.ts';
import { HOP_BY_HOP } from '../answer-head.ts';
import type { Fleet, Route } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import { ANSWER_TIMEOUT_MS } from '../limits.ts';
import { allBusy, lostOnTheWay, nobodyThere, refuse, tooLate } from '../refuse.ts';
import { isPassedOn } from '../request-head.ts';
import { isWorthAnother, MOST_ATTEMPTS, NOT_READY } from '../retry.ts';
import { type Attempt, attempt, type Outgoing, smallBody } from './attempt.ts';
import { collectBody, Reservation } from './body.ts';

export interface PassageOptions {
  fleet: Fleet;
  elapsed: () => number;
  held: { bytes: number };
  isDraining: () => boolean;
}

export type Passage = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The way of everything that is not plain inference, by the server and the client of Node. Never rejects. */
export function passage(options: PassageOptions): Passage {
  return async (request, response) => {
    const route = options.fleet.route(request.url!, request.headers.host);
    const reservation = new Reservation(options.held);
    try {
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
  group.budget.request(arrivedAt);
  const outcome = await ask(options, route, outgoing, signal);
  if (response.closed || response.destroyed) return group.tally.gone();
  if (outcome instanceof SwitchbackError) {
    const error = isLate.aborted ? tooLate(timeoutMs ?? ANSWER_TIMEOUT_MS) : outcome;
    group.tally.answered(statusOf(error.code), options.elapsed() - arrivedAt);
    return sendRefusal(options, route, error, response);
  }
  group.tally.answered(outcome.answer.statusCode!, options.elapsed() - arrivedAt);
  await sendAnswer(options, outcome, response);
}

type Answered = Attempt & { kind: 'answer' };

/** Of one runtime, or of another one if the first was lost or not ready. */
async function ask(
  options: PassageOptions,
  route: Route,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Answered | SwitchbackError> {
  const { group, target, environment } = route;
  let except: Member | null = null;
  let last: Answered | SwitchbackError = nobodyThere(environment);
  for (let attempts = 1; attempts <= MOST_ATTEMPTS && !signal.aborted; attempts++) {
    if (attempts > 1 && !mayRetry(group, options.elapsed())) break;
    const member = group.choose(target?.model ?? null, options.elapsed(), except);
    if (member === 'none') break;
    if (member === 'full') return last instanceof SwitchbackError ? allBusy(environment) : last;
    const outcome = await askOne(options, member, outgoing, signal);
    if (outcome.kind === 'answer') {
      if (outcome.body === null || !isWorthAnother(outcome.body)) return outcome;
      if (target?.model && outcome.body.includes(NOT_READY)) member.notReady(target.model, options.elapsed());
      last = outcome;
    } else last = lostOnTheWay(environment);
    except = group.members.length > 1 ? member : null;
    if (except === null && outcome.kind === 'answer') break;
  }
  return last;
}

function mayRetry({ budget, tally }: Route['group'], now: number): boolean {
  if (!budget.take(now)) {
    tally.retriesSpared++;
    return false;
  }
  tally.retries++;
  return true;
}

async function askOne(
  { elapsed }: PassageOptions,
  member: Member,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Attempt> {
  const sentAt = elapsed();
  member.begin();
  try {
    const outcome = await attempt(member, outgoing, signal);
    if (outcome.kind === 'lost') {
      member.lost(outcome.why);
      return outcome;
    }
    const { answer } = outcome;
    member.answered(elapsed() - sentAt, answer.statusCode!, elapsed());
    return answer.statusCode === 503 ? { ...outcome, body: await smallBody(answer) } : outcome;
  } finally {
    member.end();
  }
}

async function sendAnswer(
  { isDraining }: PassageOptions,
  { answer, body }: Answered,
  response: ServerResponse,
): Promise<void> {
  const headers = passedOn(answer.rawHeaders, name => !HOP_BY_HOP.has(name));
  response.writeHead(answer.statusCode!, [...headers, ...(isDraining() ? ['connection', 'close'] : [])]);
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
  // What is left of a body that was refused before its end is not read on.
  const isLast = isDraining() || !response.req.complete;
  response.writeHead(status, [
    ...headers,
    ...['content-length', String(length)],
    ...(isLast ? ['connection', 'close'] : []),
  ]);
  response.end(body);
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

function nothingThere({ method, url }: IncomingMessage): SwitchbackError {
  return new SwitchbackError(
    'E_NOT_FOUND',
    `There is nothing at ${method} ${url!.slice(0, 200)}. Where several environments are served, the address begins with one: /prod/v2/models, for example.`,
  );
}

function notThisVerb(method: string): SwitchbackError {
  return new SwitchbackError('E_METHOD', `${method.slice(0, 20)} is not passed on by this address.`);
}
