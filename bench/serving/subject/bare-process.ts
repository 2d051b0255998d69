import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { HEAD_LENGTH } from '../v2.ts';
import type { BareAnswer } from './bare.ts';

/*
 * The child program: an HTTP server that reads each request to its end and answers bytes that were ready before.
 * Prints its address.
 */
const [json, binary] = (JSON.parse(process.env['BARE_ANSWERS'] ?? '[]') as BareAnswer[]).map(answer => {
  const body = Buffer.from(answer.body, 'base64');
  return { body, headers: { ...answer.headers, 'content-length': String(body.length) } };
});
if (json === undefined || binary === undefined) throw new Error('BARE_ANSWERS must hold two answers');

const address = process.argv[2] === 'fastify' ? await serveFastify() : await serveHttp();
process.stdout.write(`${address}\n`);

async function serveFastify(): Promise<string> {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.post('/v2/models/:model/infer', (request, reply) => {
    const { headers, body } = request.headers[HEAD_LENGTH] === undefined ? json! : binary!;
    reply.headers(headers).send(body);
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function serveHttp(): Promise<string> {
  const server = createServer((request, response) => {
    const { headers, body } = request.headers[HEAD_LENGTH] === undefined ? json! : binary!;
    request.on('data', () => {});
    request.on('end', () => response.writeHead(200, headers).end(body));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
