import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Where it is missing the tests say so; in CI they fail. */
export function hasRedis(): boolean {
  const isHere = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!isHere && process.env['CI'] === 'true')
    throw new Error('redis-server is missing; install it for these tests');
  if (!isHere) process.stderr.write('SKIPPED: redis-server is missing, so the cache was not tried with it\n');
  return isHere;
}

export interface RealRedis extends AsyncDisposable {
  port: number;
  url: string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Ends it and waits for that. */
  end(): Promise<void>;
}

/** A server of our own without a file; `port` where one is to come back. */
export async function startRedis(port?: number, settings: readonly string[] = []): Promise<RealRedis> {
  const at = port ?? (await freePort());
  const child = spawn(
    'redis-server',
    ['--save', '', '--appendonly', 'no', '--port', String(at), '--bind', '127.0.0.1', ...settings],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' },
  );
  const gone = once(child, 'exit');
  // A test run that is ended early disposes of nothing.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  await untilReady(child);
  const end = async (): Promise<void> => {
    process.off('exit', endWithUs);
    child.kill('SIGKILL');
    await gone;
  };
  return {
    port: at,
    url: `redis://127.0.0.1:${at}`,
    signal: name => void child.kill(name),
    end,
    [Symbol.asyncDispose]: end,
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (!said.includes('Ready to accept connections')) continue;
    child.stdout!.resume();
    return;
  }
  throw new Error(`redis-server ended before it was ready: ${said}`);
}

async function freePort(): Promise<number> {
  await using server = await listening(() => {});
  return server.port;
}

export interface Impostor extends AsyncDisposable {
  port: number;
  url: string;
  /** Connections so far. */
  connections(): number;
}

/** Something that listens like a server and does as told with each connection. */
export async function listening(act: (socket: Socket) => void, port = 0): Promise<Impostor> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server: Server = createServer(socket => {
    count++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    act(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port: at,
    url: `redis://127.0.0.1:${at}`,
    connections: () => count,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
