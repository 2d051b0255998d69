import type { Target } from '../front/protocol/http.ts';
import { findMlflow } from '../front/protocol/mlflow/index.ts';
import { findTfServing } from '../front/protocol/tf-serving/index.ts';
import { findV2 } from '../front/protocol/v2/index.ts';

/** Where a request goes, as its address says. */
export interface Address {
  environment: string;
  /** For the runtime, with its query. */
  path: string;
  /** Of an inference request; null: something else that may be asked. */
  target: Target | null;
}

export interface AddressRules {
  environments: ReadonlySet<string>;
  /** By the host that the client names, in lower case and without its port. */
  hosts: ReadonlyMap<string, string>;
}

/** What runtimes tell callers. Everything else there, what controllers ask among it, stays out of reach. */
const OFFERED =
  /^\/(?:v2(?:\/.*)?|v1\/models(?:\/.*)?|models\/.*|invocations\/?|ping|health|version|openapi\.json|docs(?:\/.*)?)$/;
/** First segments that belong to protocols: an environment can't be told from them. */
export const TAKEN = [
  'v1',
  'v2',
  'models',
  'invocations',
  'ping',
  'health',
  'version',
  'openapi.json',
  'docs',
  'healthz',
  'readyz',
];
/** What one of two servers may take for something else: dot segments, empty ones, encoded slashes and dots. */
const DOUBTFUL = /\/\.{1,2}(?:\/|$)|\/\/|%2f|%2e|%5c|%00|\\|[^\x21-\x7e]/i;
const LONGEST = 2048;

/**
 * Reads a URL as it came. The environment is what the host stands for, else the first segment, else the only one
 * there is. Null: nothing is offered there.
 */
export function readAddress(
  url: string,
  host: string | undefined,
  { environments, hosts }: AddressRules,
): Address | null {
  const end = url.search(/[?#]/);
  const path = end === -1 ? url : url.slice(0, end);
  if (path.length > LONGEST || DOUBTFUL.test(path)) return null;
  const [, first = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(path) ?? [];
  const byHost = hosts.size === 0 ? undefined : hosts.get(hostName(host));
  if (byHost !== undefined) return offered(byHost, path, url);
  if (environments.has(first)) return offered(first, rest, url.slice(first.length + 1));
  if (environments.size !== 1) return null;
  const [only] = environments;
  return offered(only!, path, url);
}

function offered(environment: string, path: string, whole: string): Address | null {
  if (!OFFERED.test(path)) return null;
  const target = findV2(path) ?? findTfServing(path) ?? findMlflow(path);
  return { environment, path: whole, target };
}

function hostName(host = ''): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
