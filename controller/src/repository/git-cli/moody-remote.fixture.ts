import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { remoteServer } from '../../remote/server.ts';

export interface Asked {
  path: string;
  body: string;
}

export interface MoodyRemote extends AsyncDisposable {
  url: string;
  /** Requests that get no answer at all. */
  ignores: (asked: Asked) => boolean;
  /** Requests that are carried out, and whose answer is cut off. */
  cuts: (asked: Asked) => boolean;
  /** Bytes of one answer after which nothing more comes, and the connection stays. */
  stopsAfter: number;
  asked: Asked[];
  /** Bytes of all answers so far. */
  sentBytes: number;
  /** Resolves with the next request that is asked for like this. */
  next(path: RegExp): Promise<Asked>;
}

/** For tests: a real smart-HTTP remote behind somebody who may not pass everything on. */
export async function moodyRemote(bare: string): Promise<MoodyRemote> {
  const remote = await remoteServer({ directory: dirname(bare) });
  const waiting: { path: RegExp; resolve: (asked: Asked) => void }[] = [];
  const moody: MoodyRemote = {
    url: '',
    ignores: () => false,
    cuts: () => false,
    stopsAfter: Number.POSITIVE_INFINITY,
    asked: [],
    sentBytes: 0,
    next: path => new Promise(resolve => waiting.push({ path, resolve })),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await remote.close();
    },
  };
  const server = createServer((incoming, response) => void pass(incoming, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  moody.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/remote.git`;

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const asked = { path: incoming.url ?? '', body: body.toString('latin1') };
    moody.asked.push(asked);
    for (const one of waiting.splice(0)) {
      if (one.path.test(asked.path)) one.resolve(asked);
      else waiting.push(one);
    }
    if (moody.ignores(asked)) return;
    const { 'transfer-encoding': _, ...headers } = incoming.headers;
    const onward = request(
      {
        ...{ host: '127.0.0.1', port: remote.address.port, path: asked.path, method: incoming.method },
        headers: { ...headers, 'content-length': body.length },
      },
      answer => passBack(asked, answer, response),
    );
    onward.on('error', () => response.destroy());
    onward.end(body);
  }

  function passBack(asked: Asked, answer: IncomingMessage, response: ServerResponse): void {
    const isCut = moody.cuts(asked);
    let sent = 0;
    if (!isCut) response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, moody.stopsAfter - sent));
      sent += part.length;
      moody.sentBytes += part.length;
      if (!isCut && part.length > 0) response.write(part);
    });
    answer.on('end', () => {
      if (isCut) response.destroy();
      else if (sent < moody.stopsAfter) response.end();
    });
  }

  return moody;
}
