import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Export {
  path: string;
  headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: as whoever wrote it meant it; tests look at what they expect.
  body: any;
}

export interface CollectorFixture {
  endpoint: string;
  exports: Export[];
  /** The next answers, each once; then all are taken. */
  answers: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Resolves when so many have come. */
  came(count: number): Promise<void>;
}

/** An OTLP/HTTP server that writes down what it is sent. Ends with the test. */
export async function startCollector(): Promise<CollectorFixture> {
  const exports: Export[] = [];
  const answers: CollectorFixture['answers'] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      exports.push({ path: request.url!, headers: request.headers, body });
      const { status, headers, body: words = '{}' } = answers.shift() ?? { status: 200 };
      response.writeHead(status, headers).end(words);
      for (const { count, resolve } of waiting) if (exports.length >= count) resolve();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>(resolve => server.close(() => resolve()));
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    answers,
    came: count =>
      exports.length >= count ? Promise.resolve() : new Promise(resolve => waiting.push({ count, resolve })),
  };
}
