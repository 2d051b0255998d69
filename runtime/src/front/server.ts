import { createServer, type RequestListener, type Server } from 'node:http';
import { OBSERVATION_PATH, type RuntimeObservation } from '@switchback-ml/schemas';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  type HTTPMethods,
} from 'fastify';
import type { Clock } from '../clock.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import type { Inference } from '../inference/inference.ts';
import type { Log } from '../log.ts';
import { BUILD } from '../telemetry/build.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { rememberedAccepted } from './accept-encoding.ts';
import { authenticate, sha256Of } from './access.ts';
import { answering } from './answering.ts';
import { compressed } from './compression.ts';
import { inferenceDoor } from './door.ts';
import { type Lane, openLane } from './lane/lane.ts';
import { KEEP_ALIVE_MS, LARGEST_BODY_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';
import { type OpenApiOptions, registerOpenApi } from './openapi/index.ts';
import type { HttpAnswer } from './protocol/http.ts';
import { findMlflow } from './protocol/mlflow/index.ts';
import { registerMlflow } from './protocol/mlflow/routes.ts';
import { findTfServing } from './protocol/tf-serving/index.ts';
import { registerTfServing, type TfServingOptions } from './protocol/tf-serving/routes.ts';
import { findV2 } from './protocol/v2/index.ts';
import { registerV2, type V2Options } from './protocol/v2/routes.ts';
import { retryAfterOf, statusOf } from './status.ts';
import { rememberedTargets } from './targets.ts';

export interface FrontOptions extends Omit<V2Options, 'loaded'>, TfServingOptions, OpenApiOptions {
  inference: Inference;
  metrics: Metrics;
  log: Log;
  /** Shared with the controller. */
  token: string;
  observe: () => RuntimeObservation;
  /** Of the snapshot that is served from; undefined: there is none yet. */
  commit: () => string | undefined;
  /** Whether connections are to be given up after their next answer. */
  isDraining: () => boolean;
  clock: Clock;
}

/** The HTTP server, not yet listening. */
export function makeFront(options: FrontOptions): FastifyInstance {
  let lane: Lane | undefined;
  const app = fastify({
    bodyLimit: LARGEST_BODY_BYTES,
    serverFactory: handler => {
      const made = makeServer(options, handler);
      lane = made.lane;
      return made.server;
    },
    forceCloseConnections: 'idle',
    // Whoever got a connection before we close still gets an answer on it.
    return503OnClosing: false,
    frameworkErrors: (error, _, reply) =>
      void refuse(reply, new SwitchbackError('E_BODY', `${error.message}.`), 400),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  // Before the server waits for its connections to end.
  app.addHook('preClose', async () => lane?.drain());
  app.addHook('onClose', async () => lane?.stop());
  const verbs = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = verbs.get(url) ?? new Set();
    for (const verb of [method].flat()) known.add(verb);
    verbs.set(url, known);
  });
  takeRawBodies(app);
  nameJsonAlone(app);
  compressAnswers(app);
  answerErrors(app, options.log);
  registerV2(app, options);
  registerTfServing(app, options);
  registerMlflow(app, { ...options, version: BUILD.version });
  registerOpenApi(app, options);
  registerOperations(app, options);
  app.after(() => refuseOtherVerbs(app, verbs));
  return app;
}

/** Plain inference goes by the lane, other inference by the door, everything else to the framework. */
function makeServer(options: FrontOptions, otherwise: RequestListener): { server: Server; lane: Lane } {
  const way = {
    ...options,
    answer: answering(options),
    find: rememberedTargets([findV2, findTfServing, findMlflow]),
    limits: { bodyBytes: LARGEST_BODY_BYTES },
  };
  const door = inferenceDoor(way);
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      if (!door(request, response)) otherwise(request, response);
    },
  );
  const patienceMs = { request: KEEP_ALIVE_MS, rest: REQUEST_TIMEOUT_MS, reader: REQUEST_TIMEOUT_MS };
  return { server, lane: openLane(server, { ...way, patienceMs }) };
}

/** Bodies stay bytes: who parses them decides what they may be. */
function takeRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
}

/** JSON is UTF-8 and its type has no parameter; kserve's client reads an error only where it is that and no more. */
function nameJsonAlone(app: FastifyInstance): void {
  app.addHook('onSend', async (_, reply, payload) => {
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json');
    return payload;
  });
}

/** Of files, in either coding: an address can be written in many ways. */
const MOST_PACKED = 16;

/**
 * Of what the framework answers, by the same rule as inference; but not what clients of V2 ask beside it:
 * tritonclient's asynchronous one says that it takes gzip for these too, and then reads them as they came.
 */
function compressAnswers(app: FastifyInstance): void {
  const acceptedOf = rememberedAccepted();
  /** Of the page's few files, which are large and open to all. */
  const packed = new Map<string, Promise<HttpAnswer>>();
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.url.startsWith('/v2')) return payload;
    const accepted = acceptedOf(request.headers['accept-encoding']);
    const isBody = typeof payload === 'string' || Buffer.isBuffer(payload);
    if (!isBody || payload.length < accepted.fromBytes || request.method === 'HEAD') return payload;
    const tag = reply.getHeader('etag');
    const key = `${request.url.split('?', 1)[0]} ${tag} ${accepted.coding} ${accepted.isAskedFor}`;
    const known = tag === undefined ? undefined : packed.get(key);
    const packing = known ?? compressed({ status: reply.statusCode, headers: [], body: payload }, accepted);
    if (packed.size >= MOST_PACKED) packed.clear();
    if (tag !== undefined) packed.set(key, packing);
    const answer = await packing;
    for (let index = 0; index < answer.headers.length; index += 2)
      reply.header(answer.headers[index]!, answer.headers[index + 1]!);
    return answer.body;
  });
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
