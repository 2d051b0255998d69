import type { Clock } from '../../clock.ts';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Addresses } from './address.ts';
import { parseRetryAfter, transient } from './retry.ts';

export interface Ask {
  url: URL;
  method: 'GET' | 'POST' | 'PUT';
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body?: string | ReadableStream<Uint8Array>;
  signal: AbortSignal;
}

/** One request: a response with 2xx, or an error that says what to do. Redirects are followed for GET alone. */
export type Transport = (ask: Ask) => Promise<Response>;

export interface TransportSettings {
  addresses: Addresses;
  authorization: string | undefined;
  fetch: typeof globalThis.fetch;
  clock: Clock;
}

const MOST_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const UNAUTHORIZED = new Set([401, 407]);
const NO_ROOM = new Set([413, 507, 509]);

/**
 * A body that is a stream is sent before its answer is read, which fetch wants said. And only for a request that could
 * in no case be sent again does it not keep all that was sent: then a redirect is an error of its own.
 */
const UNBUFFERED = { duplex: 'half', redirect: 'error', window: null } as const;

export function lfsTransport({ addresses, authorization, fetch, clock }: TransportSettings): Transport {
  return async ask => {
    let { url, headers } = ask;
    for (let hop = 0; ; hop++) {
      const response = await send({ ...ask, url, headers: withCredentials(url, headers) });
      if (response.ok) return response;
      await response.body?.cancel().catch(() => {});
      if (!REDIRECTS.has(response.status)) throw answered(response, ask, clock);

      const next = redirectTarget(response, ask, hop, url);
      // What was meant for one server, credentials first of all, does not reach another.
      if (next.origin !== url.origin) headers = only(headers, ['accept', 'accept-encoding', 'range']);
      url = next;
    }
  };

  function withCredentials(url: URL, headers: Ask['headers']): Ask['headers'] {
    const needsOurs = authorization !== undefined && addresses.isOurs(url) && !('authorization' in headers);
    return needsOurs ? { ...headers, authorization } : headers;
  }

  async function send({ url, method, headers, body, signal }: Ask): Promise<Response> {
    try {
      return await fetch(url, {
        method,
        headers,
        signal,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
        ...(isStream(body) ? UNBUFFERED : {}),
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw ownOf(cause) ?? (isRedirect(cause) ? redirects() : unreachable(cause));
    }
  }

  function redirectTarget(response: Response, { method }: Ask, hop: number, from: URL): URL {
    const location = response.headers.get('location');
    if (method !== 'GET' || location === null) throw redirects();
    if (hop >= MOST_REDIRECTS)
      throw new SwitchbackError(
        'E_LFS_UNREACHABLE',
        'The LFS server redirects without end; check its address.',
      );
    return addresses.accept(location, from);
  }
}

function isStream(body: Ask['body']): body is ReadableStream<Uint8Array> {
  return body !== undefined && typeof body !== 'string';
}

/** Where fetch was told not to follow one. */
function isRedirect(cause: unknown): boolean {
  return (
    cause instanceof Error && cause.cause instanceof Error && cause.cause.message === 'unexpected redirect'
  );
}

function redirects(): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_UNREACHABLE',
    'The LFS server redirects to another address; configure the final one.',
  );
}

/** What the body of a request threw by itself, through whatever fetch wraps around it. */
function ownOf(cause: unknown): SwitchbackError | null {
  if (cause instanceof SwitchbackError) return cause;
  return cause instanceof Error && cause.cause instanceof SwitchbackError ? cause.cause : null;
}

export function unreachable(cause: unknown): SwitchbackError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : messageOf(inner);
  return transient(
    `The LFS server can not be reached: ${code.slice(0, 100)}. Check the network and its address.`,
    {
      cause,
    },
  );
}

function answered(response: Response, { method }: Ask, clock: Clock): SwitchbackError {
  const { status } = response;
  const details = { status, ...(method === 'POST' ? {} : { objectStatus: status }) };
  if (PASSING.has(status)) {
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock);
    return transient(`The LFS server is busy or broken: it answered ${status}. It is asked again later.`, {
      retryAfterMs,
    });
  }
  if (UNAUTHORIZED.has(status) || (status === 403 && method === 'POST'))
    return new SwitchbackError(
      'E_LFS_UNREACHABLE',
      `The LFS server does not accept our credentials (${status}); check the token and its rights.`,
      { details },
    );
  if (NO_ROOM.has(status))
    return new SwitchbackError(
      'E_LFS_OBJECT',
      `The LFS server has no room or no bandwidth left for this (${status}); see its quota.`,
      { details },
    );
  if (method === 'POST')
    return new SwitchbackError(
      'E_LFS_UNREACHABLE',
      `There is no LFS server that can be asked at the configured address (${status}); check the address.`,
      { details },
    );
  return new SwitchbackError('E_LFS_OBJECT', `The LFS server refuses the object (${status}).`, { details });
}

function only(headers: Ask['headers'], names: readonly string[]): Ask['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}
