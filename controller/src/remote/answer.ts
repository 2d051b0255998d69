import type { ServerResponse } from 'node:http';

/** A request that is not served, with what to answer. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
  }
}

export const LFS_JSON = 'application/vnd.git-lfs+json';

export function answerText(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    // What was not read of the request is not read any more.
    connection: 'close',
  });
  response.end(body);
}

/** In the form that git-lfs shows to whoever runs it. */
export function answerLfsRefusal(response: ServerResponse, status: number, message: string): void {
  response.setHeader('connection', 'close');
  answerJson(response, status, { message });
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': LFS_JSON, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
