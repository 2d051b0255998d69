import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { messageOf, SwitchbackError } from '../error.ts';
import { sweepIncoming } from '../repository/lfs/object-folder.ts';
import { isLoopback } from '../repository/remote-url.ts';
import { answerLfsRefusal, answerText, Refusal } from './answer.ts';
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

const LFS_PATH = '.git/info/lfs/';
const NO_ROOM = 507;
/** Of a connection on which nothing moves; a push may wait that long for a hook. */
const IDLE_MS = 10 * 60_000;

/** Git over smart HTTP and LFS, over bare repositories of this machine: what a forge is to a model repository. */
export async function remoteServer(settings: RemoteServerSettings): Promise<RemoteServer> {
  const { host = '127.0.0.1', port = 0, onPush, log } = settings;
  const directory = resolve(settings.directory);
  if (!isLoopback(host) && host !== '::1')
    throw new SwitchbackError(
      'E_CONFIG',
      `The built-in remote has no authentication and listens on this machine alone, not on ${host}; use 127.0.0.1.`,
    );

  await sweepUploads(directory);
  const backend = new HttpBackend({ directory, onPush: tell });
  const running = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = handle(request, response).finally(() => running.delete(handled));
    running.add(handled);
  });
  // A large object takes as long as it takes; what does not move is ended.
  server.requestTimeout = 0;
  server.setTimeout(IDLE_MS);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const route = parseRoute(request);
      const repository = join(directory, `${route.name}.git`);
      if (route.kind === 'git') await backend.serve(route, request, response);
      else {
        // As the client itself reached us, perhaps through a tunnel; that it is this machine was checked.
        const base = `http://${request.headers.host}/${route.name}.git/info/lfs`;
        await lfsRoutes({ repository, base }, route, request, response);
      }
    } catch (error) {
      const isGone = response.destroyed || request.destroyed;
      if (!(error instanceof Refusal) && !isGone)
        log?.warn({ reason: messageOf(error) }, 'the remote failed to answer');
      const isLfs = (request.url ?? '').includes(LFS_PATH);
      fail(response, error, isLfs ? answerLfsRefusal : answerText);
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

/** What a server that was killed left of uploads; none of ours is open yet, another's may be. */
async function sweepUploads(directory: string): Promise<void> {
  const before = Date.now() - 2 * IDLE_MS;
  for (const name of await readdir(directory).catch(() => []))
    if (name.endsWith('.git')) await sweepIncoming(join(directory, name, 'lfs/tmp'), before);
}

function fail(response: ServerResponse, error: unknown, answer: typeof answerText): void {
  // An answer that has begun can only be cut off: the other side must not take a part for the whole.
  if (response.headersSent) response.destroy();
  else if (error instanceof Refusal) answer(response, error.status, error.message);
  else if (error instanceof SwitchbackError && error.code === 'E_DISK_FULL')
    answer(response, NO_ROOM, error.message);
  else answer(response, 500, 'The remote failed; its log says why.');
}
