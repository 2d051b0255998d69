import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** pass: carries bytes. refuse: cuts every connection off. swallow: takes connections and bytes, gives nothing back. */
export type Weather = 'pass' | 'refuse' | 'swallow';

export interface RemoteProxy extends AsyncDisposable {
  port: number;
  weather(now: Weather): void;
}

/** A network between the controller and its remote that breaks on command. What was swallowed never comes back. */
export async function openProxy(upstream: number): Promise<RemoteProxy> {
  const sockets = new Set<Socket>();
  let weather: Weather = 'pass';
  let storms = 0;
  const server = createServer(client => {
    keep(client);
    if (weather === 'refuse') return client.destroy();
    const began = storms;
    const server = keep(connect(upstream, '127.0.0.1'));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', chunk => {
        if (weather === 'pass' && began === storms) to.write(chunk);
      });
      from.on('close', () => {
        if (weather === 'pass' && began === storms) to.destroy();
      });
    }
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }

  return {
    port: (server.address() as AddressInfo).port,
    weather(now) {
      if (weather === 'pass' && now !== 'pass') storms++;
      weather = now;
      if (now === 'refuse') for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
