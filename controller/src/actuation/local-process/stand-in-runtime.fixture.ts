/*
 * A runtime as far as actuation can tell: it answers its observation and /healthz. A file `crash` in its folder
 * lets it end at once, a file `deaf` lets it ignore SIGTERM.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const option = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  options: {
    ...{ environment: option, controller: option, state: option },
    ...{ port: option, host: option, 'token-file': option },
  },
});
const instanceId = randomUUID();
const token = readFileSync(values['token-file'], 'utf8').trim();

process.stdout.write(`secrets: ${process.env['SECRET_OF_THE_CONTROLLER'] ?? 'none'}\n`);
if (existsSync(join(values.state, 'crash'))) process.exit(7);
process.on('SIGTERM', () => {
  if (!existsSync(join(values.state, 'deaf'))) process.exit(0);
});

createServer(({ url, headers }, response) => {
  if (url === '/healthz') return response.end('ok');
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
}).listen(Number(values.port), values.host);
