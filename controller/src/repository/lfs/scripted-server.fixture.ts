import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { LfsObject } from '../repository.ts';

export interface Heard {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

type Answer = (response: ServerResponse, heard: Heard, nth: number) => void;

/** An LFS server that behaves as a test says, on this machine. */
export interface ScriptedServer extends AsyncDisposable {
  origin: string;
  /** Of LFS. */
  url: string;
  heard: Heard[];
}

export interface Script {
  /** Answers of the batch API, in order; the last one stays. Default: the object is at `/object`. */
  batch?: readonly Answer[];
  /** Answers at every other address, in order; the last one stays. */
  object?: readonly Answer[];
}

export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const heard: Heard[] = [];
  const asked = { batch: 0, object: 0 };
  const server = createServer(async (request, response) => {
    const body = (await buffer(request).catch(() => Buffer.alloc(0))).toString();
    const { method = '', url = '', headers } = request;
    const call = { method, path: url, headers, body };
    heard.push(call);
    const kind = url.endsWith('/objects/batch') ? 'batch' : 'object';
    const answers = script[kind] ?? [kind === 'batch' ? named() : bytes('')];
    const nth = asked[kind]++;
    answers[Math.min(nth, answers.length - 1)]?.(response, call, nth);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/models.git/info/lfs`,
    heard,
    [Symbol.asyncDispose]: () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** The object is there to be had, at `href` or on the same server. */
export function named(
  more: { href?: string; header?: Record<string, string>; operation?: string } = {},
): Answer {
  return (response, { headers, body }) => {
    const { operation, objects } = JSON.parse(body);
    const { href = `http://${headers.host}/object`, header = {} } = more;
    const actions = { [more.operation ?? operation]: { href, header } };
    json({ transfer: 'basic', objects: [{ ...objects[0], actions }] })(response);
  };
}

export function json(value: unknown, status = 200): (response: ServerResponse) => void {
  return response => {
    response.writeHead(status, { 'content-type': 'application/vnd.git-lfs+json' }).end(JSON.stringify(value));
  };
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return response => {
    response.writeHead(code, headers).end();
  };
}

export function bytes(content: string | Buffer, headers: Record<string, string> = {}, code = 200): Answer {
  return response => {
    response.writeHead(code, headers).end(content);
  };
}

/** Some bytes, and then nothing: the line is cut, or just silent. */
export function partly(content: string, then: 'cut' | 'silence', object?: LfsObject): Answer {
  return response => {
    if (object !== undefined) response.setHeader('content-length', object.sizeBytes);
    response.write(content, () => {
      if (then === 'cut') response.destroy();
    });
  };
}

/** As many bytes as are taken. */
export function endless(response: ServerResponse): void {
  const chunk = ' '.repeat(64 * 1024);
  const fill = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', fill);
  fill();
}
