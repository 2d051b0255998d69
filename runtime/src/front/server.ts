import { OBSERVATION_PATH, type RuntimeObservation } from '@switchback-ml/schemas';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  type HTTPMethods,
} from 'fastify';
import { messageOf, SwitchbackError } from '../error.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { authenticate, sha256Of } from './access.ts';
import { registerV2, type V2Options } from './protocol/v2.ts';
import { retryAfterOf, statusOf } from './status.ts';

const LARGEST_BODY_BYTES = 8 * 2 ** 20;
/** For a whole request to arrive; a slow sender is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 72_000;

export interface FrontOptions extends V2Options {
  metrics: Metrics;
  log: Log;
  /** Shared with the controller. */
  token: string;
  observe: () => RuntimeObservation;
}

/** The HTTP server, not yet listening. */
export function makeFront(options: FrontOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: LARGEST_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // Whoever got a connection before we close still gets an answer on it.
    return503OnClosing: false,
    frameworkErrors: (error, _, reply) =>
      void refuse(reply, new SwitchbackError('E_BODY', `${error.message}.`), 400),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  const verbs = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = verbs.get(url) ?? new Set();
    for (const verb of [method].flat()) known.add(verb);
    verbs.set(url, known);
  });
  takeRawBodies(app);
  answerErrors(app, options.log);
  registerV2(app, options);
  registerOperations(app, options);
  app.after(() => refuseOtherVerbs(app, verbs));
  return app;
}

/** Bodies stay bytes: who parses them decides what they may be. */
function takeRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
}

function registerOperations(app: FastifyInstance, { metrics, token, observe }: FrontOptions): void {
  const shared = [sha256Of(token)];
  app.get('/healthz', async () => ({ ok: true }));
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.print()));
  app.get(OBSERVATION_PATH, async request => {
    authenticate(request.headers.authorization, shared);
    return observe();
  });
}

function refuseOtherVerbs(app: FastifyInstance, verbs: ReadonlyMap<string, ReadonlySet<string>>): void {
  const all: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  for (const [url, known] of [...verbs]) {
    const allowed = [...known].join(', ');
    app.route({
      url,
      method: all.filter(verb => !known.has(verb)),
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        reply.header('allow', allowed);
        throw new SwitchbackError(
          'E_METHOD',
          `${request.method} is not for this address, which takes ${allowed}.`,
        );
      },
    });
  }
}

/** Every error has one shape, whatever went wrong and wherever. */
function answerErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler(async (request, reply) =>
    refuse(
      reply,
      new SwitchbackError(
        'E_NOT_FOUND',
        `There is nothing at ${request.method} ${request.url.slice(0, 200)}.`,
      ),
    ),
  );
  app.setErrorHandler<Error | FastifyError>(async (error, request, reply) => {
    if (error instanceof SwitchbackError) return refuse(reply, error);
    const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
    if (status < 500) return refuse(reply, new SwitchbackError('E_BODY', `${messageOf(error)}.`), status);
    log.error(
      { url: request.url, reason: messageOf(error), stack: error.stack },
      'request failed unexpectedly',
    );
    return refuse(
      reply,
      new SwitchbackError('E_INTERNAL', 'This is a fault of the server; its log says more.'),
    );
  });
}

function refuse(reply: FastifyReply, error: SwitchbackError, status = statusOf(error.code)): FastifyReply {
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const hasDetails = Object.keys(error.details).length > 0;
  return reply
    .status(status)
    .send({ error: error.message, code: error.code, ...(hasDetails && { details: error.details }) });
}
