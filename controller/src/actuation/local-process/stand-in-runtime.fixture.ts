/*
 * A runtime as far as actuation can tell: it answers its observation, /healthz and whether it is ready. A file `crash`
 * in its folder lets it end at once, `deaf` lets it ignore SIGTERM, and with `unready` it is not ready. It also answers
 * what it was started with, how often it was looked at, and whether its keeper knows it to be ready.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const option = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  options: {
    ...{ environment: option, controller: option, state: option },
    ...{ port: option, host: option, 'token-file': option },
    ...{ 'own-port': option, 'share-port': option, 'cache-mib': option, 'redis-file': option },
    ...{ 'grpc-port': option, 'engine-memory-mib': option },
  },
});
const instanceId = randomUUID();
const token = readFileSync(values['token-file'], 'utf8').trim();

process.stdout.write(`secrets: ${process.env['SECRET_OF_THE_CONTROLLER'] ?? 'none'}\n`);
if (existsSync(join(values.state, 'crash'))) process.exit(7);
process.on('SIGTERM', () => {
  if (!existsSync(join(values.state, 'deaf'))) process.exit(0);
});

/** Who has heard that it is ready asks only whether it lives. */
let saidReady = false;
let isKnownReady = false;
let looks = 0;

const answer: RequestListener = ({ url, headers }, response) => {
  if (url === '/healthz') {
    isKnownReady = saidReady;
    looks++;
    return response.end('ok');
  }
  if (url === '/arguments') return response.end(JSON.stringify(values));
  if (url === '/looks') return response.end(String(looks));
  if (url === '/known-ready') return response.end(String(isKnownReady));
  if (url === '/v2/health/ready') {
    saidReady = !existsSync(join(values.state, 'unready'));
    return response.writeHead(saidReady ? 200 : 503).end();
  }
  if (url !== '/runtime/v1/observation') return response.writeHead(404).end();
  if (headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end();
  const word = {
    instanceId,
    environment: values.environment,
    pid: process.pid,
    startedAt: 0,
    at: Date.now(),
  };
  return response.end(JSON.stringify({ ...word, snapshot: null, routes: {}, loaded: [], counts: [] }));
};
const shared = { port: Number(values.port), host: values.host, reusePort: values['share-port'] !== '' };
createServer(answer).listen(shared);
if (values['own-port'] !== '') createServer(answer).listen(Number(values['own-port']), '127.0.0.1');
