import { once } from 'node:events';
import { createServer, Socket } from 'node:net';

export interface CutLine extends AsyncDisposable {
  port: number;
  /** Is asked about each message of a client before it goes on to the server: what to do with the line then. */
  arm(cut: ((message: string) => 'pass' | 'cut-after' | 'cut-before' | 'hold') | null): void;
  /** How often a line was made. */
  lines(): number;
}

/**
 * A line to a server on this machine that can be cut at a message. `cut-after`: the server gets it and nobody hears the
 * answer; `cut-before`: it never arrives; `hold`: nothing passes any more, and neither side is told.
 */
export async function cutLine(toPort: number): Promise<CutLine> {
  const sockets = new Set<Socket>();
  let cut: ((message: string) => 'pass' | 'cut-after' | 'cut-before' | 'hold') | null = null;
  let lines = 0;

  const server = createServer(client => {
    lines++;
    const far = new Socket();
    let isHeld = false;
    for (const socket of [client, far])
      sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    const end = (): void => {
      client.destroy();
      far.destroy();
    };
    far.connect(toPort, '127.0.0.1');
    client.on('data', bytes => {
      if (isHeld) return;
      const deed = cut?.(bytes.toString('latin1')) ?? 'pass';
      if (deed === 'hold') isHeld = true;
      else if (deed === 'cut-before') end();
      else if (deed === 'pass') far.write(bytes);
      else {
        // Ours is gone before the answer; the server's own end only after it has read everything.
        client.destroy();
        far.end(bytes);
      }
    });
    far.on('data', bytes => {
      if (!isHeld && !client.destroyed) client.write(bytes);
    });
    client.on('close', () => far.end());
    far.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    arm: next => {
      cut = next;
    },
    lines: () => lines,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
