import type { Tokens } from '../access/tokens.ts';
import { measure } from './metrics.ts';
import { routes } from './routes.ts';
import { type RunningServer, startServer } from './server.ts';
import type { ServerWorld } from './world.ts';

export interface ManagementServerOptions {
  /** Loopback, unless the operator says otherwise. */
  host: string;
  /** 0: any that is free. */
  port: number;
  world: Omit<ServerWorld, 'address'>;
  tokens: Pick<Tokens, 'kindOf'>;
  /** Of the product, as the description of the API shows it. */
  version: string;
}

/** The management API on its own listener, with its metrics. Throws E_PORT_TAKEN. */
export async function managementServer({
  host,
  port,
  world,
  tokens,
  version,
}: ManagementServerOptions): Promise<RunningServer> {
  let address = '';
  const table = routes({ ...world, address: () => address }, version);
  const server = await startServer({ host, port, routes: table, tokens, log: world.log });
  address = server.address;
  const stopMeasuring = measure(world);
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      stopMeasuring();
      await server[Symbol.asyncDispose]();
    },
  };
}
