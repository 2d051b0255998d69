import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';

/** Process ids of the long-lived readers of one clone. */
export function readersOf(directory: string): number[] {
  return processesWith(`--git-dir=${directory}`)
    .filter(({ command }) => command.includes('cat-file'))
    .map(({ pid }) => pid);
}

export function processesWith(words: string): { pid: number; command: string }[] {
  const listed = execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,args='], { encoding: 'utf8' });
  return listed
    .split('\n')
    .map(line => /^\s*(\d+) (\S+)\s+(.*)$/.exec(line))
    .filter(
      found =>
        found !== null &&
        !found[2]!.startsWith('Z') &&
        found[3]!.startsWith('git ') &&
        found[3]!.includes(words),
    )
    .map(found => ({ pid: Number(found![1]), command: found![3]! }));
}

export interface SilentServer extends AsyncDisposable {
  port: number;
  asked: Promise<void>;
  heard(): string;
}

/** Takes connections and says nothing, or always the same. */
export async function silentServer(answer?: string): Promise<SilentServer> {
  const asked = Promise.withResolvers<void>();
  const sockets = new Set<{ destroy(): void }>();
  let heard = '';
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', chunk => {
      heard += chunk.toString('latin1');
      asked.resolve();
      if (answer !== undefined) socket.end(answer);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked: asked.promise,
    heard: () => heard,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
