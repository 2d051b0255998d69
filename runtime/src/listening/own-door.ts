import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { REQUEST_TIMEOUT_MS } from '../front/limits.ts';

export interface OwnDoorOptions {
  /** All that comes in here is answered as if it had come in there. */
  front: Server;
  host: string;
  port: number;
}

/**
 * A way in that leads to this runtime alone, beside the port that it shares with others: for whoever wants to know of
 * this one, such as the controller and what collects metrics. On the loopback, whatever `host` is. Throws what the
 * system says when the port can't be had.
 */
export async function openOwnDoor({ front, host, port }: OwnDoorOptions): Promise<AsyncDisposable> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    front.emit('request', request, response);
  });
  server.listen({ host: host.includes(':') ? '::1' : '127.0.0.1', port, exclusive: true });
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
