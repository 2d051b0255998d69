import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SwitchbackError } from '../error.ts';

export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  const onError = (cause: NodeJS.ErrnoException): void => reject(notListening(host, port, cause));
  server.once('error', onError);
  server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
    server.removeListener('error', onError);
    resolve(server.address() as AddressInfo);
  });
  return promise;
}

function notListening(host: string, port: number, cause: NodeJS.ErrnoException): SwitchbackError {
  if (cause.code === 'EADDRINUSE')
    return new SwitchbackError(
      'E_PORT_TAKEN',
      `Port ${port} of ${host} is taken by another program; choose another one.`,
      { cause },
    );
  return new SwitchbackError(
    'E_CONFIG',
    `The built-in remote can not listen on ${host}, port ${port}: ${cause.code ?? cause.message}.`,
    { cause },
  );
}
