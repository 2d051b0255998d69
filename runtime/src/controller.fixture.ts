import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServingSnapshot } from '@switchback-ml/schemas';

export const TOKEN = 'shared-secret-of-the-tests';

/** A small real HTTP server that speaks the controller's side: long-polled snapshots, artifacts by digest. */
export interface ControllerFixture extends AsyncDisposable {
  address: string;
  objects: Map<string, Uint8Array>;
  /** What was asked of it, in order: method and path with `if-none-match`. */
  asked: string[];
  publish(snapshot: ServingSnapshot): void;
  /** The next snapshot answers, raw: status and body. */
  answerNext(...answers: { status: number; body?: string }[]): void;
}

export async function startController(): Promise<ControllerFixture> {
  const objects = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const scripted: { status: number; body?: string }[] = [];
  const waiting = new Set<() => void>();
  let snapshot: ServingSnapshot | null = null;

  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['if-none-match'] ?? '-'}`);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end();
    if (request.url?.includes('/artifacts/')) return sendObject(request, response);
    answer(request, response);
  });

  function sendObject(request: IncomingMessage, response: ServerResponse): void {
    const bytes = objects.get(request.url!.split('/').at(-1)!);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const next = scripted.shift();
    if (next !== undefined) return void response.writeHead(next.status).end(next.body);
    const isNew = snapshot !== null && request.headers['if-none-match'] !== `"${snapshot.generation}"`;
    if (isNew) return void response.writeHead(200).end(JSON.stringify(snapshot));
    const again = (): void => answer(request, response);
    waiting.add(again);
    response.on('close', () => waiting.delete(again));
  }

  await listening(server);
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    asked,
    publish(next) {
      snapshot = next;
      const all = [...waiting];
      waiting.clear();
      for (const again of all) again();
    },
    answerNext: (...answers) => void scripted.push(...answers),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
}
