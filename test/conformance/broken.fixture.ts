import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request on its way to a server that keeps to the protocol. */
export interface Passing {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** What a server does wrong: to what it was asked, or to what it answers. */
export interface Breakage {
  hear?: (request: Passing) => Passing;
  say?: (reply: Reply, request: Passing) => Reply;
}

export interface BrokenServer extends AsyncDisposable {
  url: string;
}

/** Stands in front of a server that is as it should be, and does this one thing wrong. */
export async function breakServer(target: string, { hear, say }: Breakage): Promise<BrokenServer> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const passing = await passingOf(incoming);
      const reply = await pass(target, hear?.(passing) ?? passing);
      const { status, headers, body } = say?.(reply, passing) ?? reply;
      outgoing.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
    } catch {
      outgoing.destroy();
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** A body of JSON with this changed in it; any other is left as it is. */
export function editJson(edit: (json: Record<string, unknown>) => unknown): (reply: Reply) => Reply {
  return reply => {
    const length = Number(reply.headers['inference-header-content-length'] ?? reply.body.length);
    try {
      const json = JSON.parse(reply.body.subarray(0, length).toString());
      const head = Buffer.from(JSON.stringify(edit(json)));
      const isBinary = length !== reply.body.length;
      const headers = {
        ...reply.headers,
        ...(isBinary && { 'inference-header-content-length': String(head.length) }),
      };
      return { ...reply, headers, body: Buffer.concat([head, reply.body.subarray(length)]) };
    } catch {
      return reply;
    }
  };
}

async function passingOf(incoming: IncomingMessage): Promise<Passing> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { host: _, connection: __, ...headers } = incoming.headers as Record<string, string>;
  return { method: incoming.method!, path: incoming.url!, headers, body: Buffer.concat(chunks) };
}

async function pass(target: string, { method, path, headers, body }: Passing): Promise<Reply> {
  const { 'transfer-encoding': _, 'content-length': __, ...sent } = headers;
  const response = await fetch(target + path, {
    method,
    headers: sent,
    ...(method !== 'GET' && { body }),
    signal: AbortSignal.timeout(10_000),
  });
  const { 'content-length': ___, 'transfer-encoding': ____, ...told } = Object.fromEntries(response.headers);
  return { status: response.status, headers: told, body: Buffer.from(await response.arrayBuffer()) };
}
