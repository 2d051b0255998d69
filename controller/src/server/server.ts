import fastify, { type FastifyInstance, type FastifyReply, type HTTPMethods } from 'fastify';
import type { Tokens } from '../access/tokens.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import type { Log } from '../log.ts';
import { authorize } from './authorize.ts';
import { hostCheck } from './host-check.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { type Answer, checkRoute, type Route } from './route.ts';
import { STATUS_OF_ANSWER } from './status-codes.ts';
import { answerUnreadable } from './unreadable-request.ts';

export interface ServerOptions {
  /** Where it listens; a request must be addressed to it or to this machine's own names. */
  host: string;
  routes: readonly Route[];
  tokens: Pick<Tokens, 'kindOf'>;
  log: Log;
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:4180` */
  address: string;
}

const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const RECEIVE_MS = 10_000;
const HEADERS_MS = 5_000;
/** Longer than the longest poll: an idle asker is no dead one. */
const SILENT_SOCKET_MS = 90_000;
const LARGEST_HEADERS_BYTES = 16 * 1024;
/** How long a response that is being sent may take when the server stops. */
const FAREWELL_MS = 1000;

/** Listens, once every route has said who may use it. Throws E_PORT_TAKEN, or E_INTERNAL for such a route. */
export async function startServer({
  port,
  ...options
}: ServerOptions & { port: number }): Promise<RunningServer> {
  const { host } = options;
  const { app, abortAll } = makeServer(options);
  try {
    const address = await app.listen({ host, port });
    return { address, [Symbol.asyncDispose]: () => stop(app, abortAll) };
  } catch (error) {
    await app.close();
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    const message = `Port ${port} of ${host} is taken. Stop what listens there, or name another one with --port.`;
    throw new SwitchbackError('E_PORT_TAKEN', message, { cause: error });
  }
}

/** Polls are answered at once; what is still being sent then is cut off. */
async function stop(app: FastifyInstance, abortAll: () => void): Promise<void> {
  abortAll();
  const cutOff = setTimeout(() => app.server.closeAllConnections(), FAREWELL_MS);
  await app.close();
  clearTimeout(cutOff);
}

/** Everything but the listener. `abortAll` ends every wait of a request. */
export function makeServer({ host, routes, tokens, log }: ServerOptions): {
  app: FastifyInstance;
  abortAll: () => void;
} {
  for (const route of routes) checkRoute(route);
  const live = new Set<AbortController>();
  const stopping = new AbortController();
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    requestTimeout: RECEIVE_MS,
    connectionTimeout: SILENT_SOCKET_MS,
    http: { headersTimeout: HEADERS_MS, maxHeaderSize: LARGEST_HEADERS_BYTES },
    frameworkErrors: (error, _request, reply) => void fail(error, reply),
    clientErrorHandler: answerUnreadable,
  });
  // JSON or nothing: a form or a plain text that a web page may send without asking is refused.
  app.removeContentTypeParser('text/plain');
  const checkHost = hostCheck(host);
  app.addHook('onRequest', async ({ headers }) => checkHost(headers.host));
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  refuseInWords(app, log);
  for (const route of routes) declare(app, route, { tokens, live, stopped: stopping.signal });
  refuseOtherMethods(app, routes);
  const abortAll = (): void => {
    stopping.abort();
    for (const request of live) request.abort();
  };
  return { app, abortAll };
}

function refuseInWords(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const status = fail(error, reply);
    const route = request.routeOptions.url;
    if (status >= 500) log.error({ route, reason: messageOf(error) }, 'request failed');
  });
  app.setNotFoundHandler(({ method }, reply) => {
    const message = `There is nothing to ${method} at this path. See /api/v1alpha1/openapi.json.`;
    fail(new SwitchbackError('E_NOT_FOUND', message), reply);
  });
}

/** A path that is there, asked in a way that it is not for. No body is read to say so. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly Route[]): void {
  for (const [url, known] of Map.groupBy(routes, ({ path }) => path)) {
    const taken = known.map(({ method }) => method as string);
    const allow = taken.join(', ');
    app.route({
      method: METHODS.filter(method => !taken.includes(method)),
      url,
      onRequest: async ({ method }, reply) => {
        reply.header('allow', allow);
        throw new SwitchbackError('E_METHOD', `${method} is not for this path, which takes ${allow}.`);
      },
      handler: async () => {},
    });
  }
}

function declare(
  app: FastifyInstance,
  { method, path, verb, bodyLimitBytes, endpoint }: Route,
  {
    tokens,
    live,
    stopped,
  }: Pick<ServerOptions, 'tokens'> & { live: Set<AbortController>; stopped: AbortSignal },
): void {
  app.route({
    method,
    url: path,
    // Fastify takes no limit of 0; a body that no handler reads is refused by its first byte all the same.
    bodyLimit: Math.max(1, bodyLimitBytes),
    onRequest: async ({ headers }) => authorize(headers.authorization, verb, tokens),
    handler: async (request, reply) => {
      const signal = signalOf(reply, live);
      const { params, query, body, headers } = request;
      const asked = { params, query, body, ifNoneMatch: headers['if-none-match'], signal, stopped };
      return send(reply, await endpoint.handle(asked));
    },
  });
}

/** Aborts once the response is over, which is also when the asker has gone. */
function signalOf(reply: FastifyReply, live: Set<AbortController>): AbortSignal {
  const request = new AbortController();
  live.add(request);
  reply.raw.once('close', () => {
    live.delete(request);
    request.abort();
  });
  return request.signal;
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(STATUS_OF_ANSWER[answer.kind]);
  if ('etag' in answer && answer.etag !== undefined) reply.header('etag', answer.etag);
  switch (answer.kind) {
    case 'found':
    case 'accepted':
    case 'unready':
      return reply.type('application/json; charset=utf-8').send(answer.body);
    case 'text':
      return reply.type(answer.type).send(answer.body);
    case 'file':
      return reply
        .headers({ 'content-type': 'application/octet-stream', 'content-length': answer.sizeBytes })
        .send(answer.stream);
    case 'unchanged':
    case 'done':
      return reply.send();
  }
}

function fail(error: unknown, reply: FastifyReply): number {
  const problem = problemOf(error);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) reply.header('retry-after', '1');
  reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
  return problem.status;
}
