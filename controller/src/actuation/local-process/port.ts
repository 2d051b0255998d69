import { once } from 'node:events';
import { createServer } from 'node:net';
import { SwitchbackError } from '../../error.ts';

const TRIED_AT_MOST = 1000;

export interface PortWish {
  host: string;
  /** The one to have again, if it is free. */
  remembered: number | null;
  /** The first to try otherwise; any that the system has free when absent. */
  basePort?: number | undefined;
  /** Those that belong to other environments, whether or not they listen now. */
  claimed: Set<number>;
}

/** The port is claimed when this resolves. */
export async function choosePort({ host, remembered, basePort, claimed }: PortWish): Promise<number> {
  if (remembered !== null && (await freePort(host, remembered)) !== null) {
    claimed.add(remembered);
    return remembered;
  }

  for (let tried = 0; tried < TRIED_AT_MOST; tried++) {
    const wanted = basePort === undefined ? 0 : basePort + tried;
    if (wanted > 65_535) break;
    if (claimed.has(wanted)) continue;
    const port = await freePort(host, wanted);
    if (port === null || claimed.has(port)) continue;
    claimed.add(port);
    return port;
  }
  const range = basePort === undefined ? '' : ` from ${basePort} on`;
  throw new SwitchbackError('E_PORT_TAKEN', `no port${range} is free on ${host}; name another base port`);
}

/** Null when it is taken; the system's own choice for 0. */
async function freePort(host: string, port: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  } catch {
    return null;
  } finally {
    if (server.listening) await new Promise(resolve => server.close(resolve));
  }
}
