import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServingSnapshot } from '@switchback-ml/schemas';

/** The controller's side of a runtime: long-polled snapshots, and artifacts by digest. */
export interface SnapshotServer extends AsyncDisposable {
  address: string;
  /** By SHA-256. */
  artifacts: Map<string, Uint8Array>;
  publish: (snapshot: ServingSnapshot) => void;
}

export async function serveSnapshots(token: string): Promise<SnapshotServer> {
  const artifacts = new Map<string, Uint8Array>();
  const waiting = new Map<ServerResponse, NodeJS.Timeout>();
  let snapshot: ServingSnapshot | null = null;

  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.includes('/artifacts/')) return answer(request, response, url);
    const bytes = artifacts.get(url.pathname.split('/').at(-1) ?? '');
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });

  function answer(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const held = request.headers['if-none-match'];
    if (snapshot !== null && held !== `"${snapshot.generation}"`)
      return void response.writeHead(200).end(JSON.stringify(snapshot));
    const waitMs = Number(url.searchParams.get('wait') ?? '0') * 1000;
    waiting.set(
      response,
      setTimeout(() => response.writeHead(304).end(), waitMs),
    );
    response.on('close', () => {
      clearTimeout(waiting.get(response));
      waiting.delete(response);
    });
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    artifacts,
    publish(next) {
      snapshot = next;
      for (const response of [...waiting.keys()]) response.writeHead(200).end(JSON.stringify(next));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
