import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** pass: carries bytes. refuse: cuts every connection off. swallow: takes connections and bytes, gives nothing back. */
export type Weather = 'pass' | 'refuse' | 'swallow';

/** Where a push is met: while it asks where refs stand, or when it sends what it has. */
export type Moment = 'asks' | 'sends';

export interface RemoteProxy extends AsyncDisposable {
  port: number;
  weather(now: Weather): void;
  /** The next push goes through, and whoever pushed never hears so. Resolves when that has happened. */
  loseAnswer(): Promise<void>;
  /** Called at that moment of each push, which waits for it; null: of none any more. */
  ambush(moment: Moment, act: (() => Promise<void>) | null): void;
}

const MOMENTS: Readonly<Record<Moment, RegExp>> = {
  asks: /^GET \S+service=git-receive-pack /,
  sends: /^POST \S+\/git-receive-pack /,
};
/** Of git's report, which it gives when every ref has been moved. */
const REPORT = 'unpack ok';

/** A network between the controller and its remote that breaks on command. What was swallowed never comes back. */
export async function openProxy(upstream: number): Promise<RemoteProxy> {
  const sockets = new Set<Socket>();
  const ambushes: Partial<Record<Moment, (() => Promise<void>) | null>> = {};
  let weather: Weather = 'pass';
  let storms = 0;
  let onLost: (() => void) | null = null;
  const server = createServer(client => {
    keep(client);
    if (weather === 'refuse') return client.destroy();
    carry(client, keep(connect(upstream, '127.0.0.1')), storms);
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function carry(client: Socket, server: Socket, began: number): void {
    const isOpen = (): boolean => weather === 'pass' && began === storms;
    let isPush = false;
    let report = '';
    client.on('data', chunk => {
      const head = chunk.toString('latin1', 0, 300);
      if (/^(?:GET|POST) /.test(head)) isPush = MOMENTS.sends.test(head);
      const moment = (['asks', 'sends'] as const).find(each => MOMENTS[each].test(head));
      const act = moment && ambushes[moment];
      if (act) void held(client, act, () => server.write(chunk));
      else if (isOpen()) server.write(chunk);
    });
    server.on('data', chunk => {
      if (!isOpen()) return;
      if (!isPush || !onLost) return void client.write(chunk);
      report += chunk.toString('latin1');
      if (!report.includes(REPORT)) return;
      onLost();
      onLost = null;
      client.destroy();
    });
    client.on('close', () => isOpen() && server.destroy());
    server.on('close', () => isOpen() && client.destroy());
  }

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
    loseAnswer: () =>
      new Promise(resolve => {
        onLost = resolve;
      }),
    ambush(moment, act) {
      ambushes[moment] = act;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** What comes meanwhile waits; an act that fails lets everything pass all the same. */
async function held(client: Socket, act: () => Promise<void>, pass: () => void): Promise<void> {
  client.pause();
  try {
    await act();
  } catch {
  } finally {
    pass();
    client.resume();
  }
}
