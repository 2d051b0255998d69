import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../clock.ts';
import { rememberedAccess } from '../access.ts';
import type { DoorOptions } from '../door.ts';
import { Connection, type Waiting } from './connection.ts';
import { rememberedPrint } from './print.ts';

export interface LaneOptions extends DoorOptions {
  clock: Clock;
  /** How long a client may keep us waiting for what. */
  patienceMs: Patience;
}

export type Patience = Record<Exclude<Waiting, 'answer'>, number>;

const SWEEP_MS = 1000;

export interface Lane {
  /** Gives up idle connections now, and the others after their answer. */
  drain(): void;
  stop(): void;
}

/**
 * Takes every new connection of a server before Node's HTTP parser does, and keeps it as long as all that comes by it
 * is plain inference. Anything else hands the connection over to the parser, for good and unread.
 */
export function openLane(server: Server, options: LaneOptions): Lane {
  const [connect] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  const connections = new Set<Connection>();
  const shared = {
    ...options,
    authenticate: rememberedAccess(),
    print: rememberedPrint(),
    elapsed: () => options.clock.elapsed(),
  };
  server.removeAllListeners('connection');
  server.on('connection', socket => {
    const connection: Connection = new Connection(socket, {
      ...shared,
      handOver: given => {
        connections.delete(connection);
        connect!.call(server, given);
        given.resume();
      },
    });
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  // What the server is told of all its connections is meant for those that its parser never saw, too.
  const closeOthers = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    for (const connection of connections) connection.cut();
    closeOthers();
  };
  const sweep = setInterval(() => cutImpatiently(connections, options), SWEEP_MS);
  sweep.unref();
  return {
    drain() {
      for (const connection of connections) connection.drain();
    },
    stop: () => clearInterval(sweep),
  };
}

function cutImpatiently(connections: ReadonlySet<Connection>, { clock, patienceMs }: LaneOptions): void {
  const now = clock.elapsed();
  for (const connection of connections) {
    const { waiting, since } = connection;
    if (waiting !== 'answer' && now - since > patienceMs[waiting]) connection.cut();
  }
}
