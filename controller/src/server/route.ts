import type { Readable } from 'node:stream';
import { z } from 'zod';
import { type Caller, may, type Verb } from '../access/verbs.ts';
import { SwitchbackError } from '../error.ts';
import type { STATUS_OF_ANSWER } from './status-codes.ts';

/** Who may do what where, and how much may be sent: without each of these nothing is served. */
export interface Route {
  method: 'GET' | 'POST';
  /** With `:name` for each parameter. */
  path: string;
  verb: Verb;
  scope: Caller;
  bodyLimitBytes: number;
  endpoint: Endpoint;
}

/** What a handler says; how it goes over the wire is the server's. */
export type Answer =
  | { kind: 'found' | 'accepted' | 'unready'; body: unknown; etag?: string }
  | { kind: 'text'; body: string; type: string }
  | { kind: 'file'; stream: Readable; sizeBytes: number; etag: string }
  | { kind: 'unchanged'; etag: string }
  | { kind: 'done' };

/** An endpoint as the server sees it: what comes in is parsed before its handler runs. */
export interface Endpoint {
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  body: z.ZodType | null;
  /** What it may answer, and in which shape; null: no body, or one that is not JSON. */
  answers: Partial<Record<keyof typeof STATUS_OF_ANSWER, z.ZodType | null>>;
  handle(asked: Unparsed): Promise<Answer>;
}

interface Unparsed {
  params: unknown;
  query: unknown;
  body: unknown;
  ifNoneMatch: string | undefined;
  /** Aborts when the asker is gone, or the server stops. */
  signal: AbortSignal;
  /** Aborts when the server stops. */
  stopped: AbortSignal;
}

interface Asked<Params, Query, Body> extends Unparsed {
  params: Params;
  query: Query;
  body: Body;
}

interface EndpointPart<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  summary: string;
  params?: Params;
  query?: Query;
  body?: Body;
  answers: Endpoint['answers'];
  handle(asked: Asked<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer> | Answer;
}

const Nothing = z.object({});

export function endpoint<
  Params extends z.ZodObject = typeof Nothing,
  Query extends z.ZodObject = typeof Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(part: EndpointPart<Params, Query, Body>): Endpoint {
  const { summary, answers } = part;
  const params = part.params ?? Nothing;
  const query = part.query ?? Nothing;
  return {
    summary,
    params,
    query,
    body: part.body ?? null,
    answers,
    handle: async asked =>
      part.handle({
        ...asked,
        // A name that no grammar allows is the name of nothing.
        params: parse(params, asked.params, 'E_NOT_FOUND') as z.infer<Params>,
        query: parse(query, asked.query, 'E_INPUT') as z.infer<Query>,
        body: (part.body ? parse(part.body, asked.body, 'E_INPUT') : undefined) as z.infer<Body>,
      }),
  };
}

function parse(schema: z.ZodType, value: unknown, code: 'E_NOT_FOUND' | 'E_INPUT'): unknown {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the request';
  throw new SwitchbackError(code, `${field}: ${issue?.message ?? 'is not as documented'}`);
}

/** Throws E_INTERNAL for a route that leaves open who may use it or how much it takes. */
export function checkRoute(route: Route): void {
  const lacks = [
    ['verb', typeof route.verb === 'string'],
    ['scope', typeof route.scope === 'string'],
    ['body limit', Number.isSafeInteger(route.bodyLimitBytes) && route.bodyLimitBytes >= 0],
    ['handler', typeof route.endpoint?.handle === 'function'],
  ].find(([, isThere]) => !isThere)?.[0];
  if (lacks) throw refused(route, `declares no ${lacks}`);

  const { verb, scope } = route;
  if (!may(scope, verb)) throw refused(route, `is for ${scope}, who may not ${verb}`);
  if (scope !== 'anybody' && may('anybody', verb))
    throw refused(route, `is for ${scope}, but anybody may ${verb}`);
}

function refused({ method, path }: Route, why: string): SwitchbackError {
  return new SwitchbackError(
    'E_INTERNAL',
    `The route ${method} ${path} ${why}. The server does not start with it.`,
  );
}
