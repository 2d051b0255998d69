import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** Passes bytes on to a server of this machine, and cuts the line so many bytes into an answer, a few times. */
export interface CuttingProxy extends AsyncDisposable {
  /** The same address by way of the proxy. */
  through(url: string): string;
  /** How many times the line was cut. */
  cuts(): number;
}

export async function cuttingProxy(
  port: number,
  { afterBytes, times }: { afterBytes: number; times: number },
): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1');
    let passed = 0;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', chunk => {
      passed += chunk.length;
      if (passed > afterBytes && cuts < times) {
        cuts++;
        client.destroy();
      } else if (!client.write(chunk)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  return {
    through: url => url.replace(`:${port}/`, `:${own}/`),
    cuts: () => cuts,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
