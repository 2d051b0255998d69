import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { messageOf, SwitchbackError } from '../error.ts';
import { isLoopback } from '../repository/remote-url.ts';
import { answerText, Refusal } from './answer.ts';
import { HttpBackend } from './http-backend.ts';
import { lfsRoutes } from './lfs-routes.ts';
import { listen } from './listen.ts';
import { parseRoute } from './route.ts';

export interface RemoteServerSettings {
  /** Holds the bare repositories, `<name>.git` each. */
  directory: string;
  /** This machine alone: whoever reaches the server may push. */
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Called after a push that moved a ref; must return at once. */
  onPush?: (name: string) => void;
  log?: { warn(fields: object, message: string): void };
}

export interface RemoteServer extends AsyncDisposable {
  /** What `git clone` takes. */
  url(name: string): string;
  address: AddressInfo;
  /** Cuts off what is under way, and resolves when its processes are gone. */
  close(): Promise<void>;
}

/** Git over smart HTTP and LFS, over bare repositories of this machine: what a forge is to a model repository. */
export async function remoteServer(settings: RemoteServerSettings): Promise<RemoteServer> {
  const { host = '127.0.0.1', port = 0, onPush, log } = settings;
  const directory = resolve(settings.directory);
  if (!isLoopback(host) && host !== '::1')
    throw new SwitchbackError(
      'E_CONFIG',
      `The built-in remote has no authentication and listens on this machine alone, not on ${host}; use 127.0.0.1.`,
    );

  const backend = new HttpBackend({ directory, onPush: tell });
  const running = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = handle(request, response).finally(() => running.delete(handled));
    running.add(handled);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const route = parseRoute(request);
      const repository = join(directory, `${route.name}.git`);
      if (route.kind === 'git') await backend.serve(route, request, response);
      else await lfsRoutes({ repository, base: `${url(route.name)}/info/lfs` }, route, request, response);
    } catch (error) {
      const isGone = response.destroyed || request.destroyed;
      if (!(error instanceof Refusal) && !isGone)
        log?.warn({ reason: messageOf(error) }, 'the remote failed to answer');
      fail(response, error);
    }
  }

  function tell(name: string): void {
    try {
      onPush?.(name);
    } catch (error) {
      log?.warn({ reason: messageOf(error) }, 'who was told of a push failed');
    }
  }

  const address = await listen(server, host, port);
  const authority = `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  function url(name: string): string {
    return `http://${authority}/${name}.git`;
  }

  async function close(): Promise<void> {
    const closed = new Promise<void>(done => server.close(() => done()));
    server.closeAllConnections();
    await backend.close();
    await Promise.all(running);
    await closed;
  }

  return { url, address, close, [Symbol.asyncDispose]: close };
}

function fail(response: ServerResponse, error: unknown): void {
  // An answer that has begun can only be cut off: the other side must not take a part for the whole.
  if (response.headersSent) response.destroy();
  else if (error instanceof Refusal) answerText(response, error.status, error.message);
  else answerText(response, 500, 'The remote failed; its log says why.');
}
