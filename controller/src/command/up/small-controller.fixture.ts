import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/*
 * A process that behaves as `up` may expect of the controller: listens, writes controller.json, becomes ready at its
 * third look, ends in order at SIGTERM and at the end of its stdin. `--branch` says how it misbehaves.
 */
const option = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    repo: option,
    branch: option,
    root: option,
    state: option,
    port: option,
    lfs: option,
    poll: option,
  },
});
const state = values.state ?? '';
const mood = values.branch ?? '';
const file = join(state, 'controller.json');

if (mood === 'broken') {
  process.stdout.write(
    `${JSON.stringify({ level: 'error', msg: 'the ledger can not be opened', reason: 'disk full' })}\n`,
  );
  process.exit(3);
}

let looks = 0;
const server = createServer((request, response) => {
  const url = request.url ?? '';
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (url === '/readyz') {
    looks += 1;
    const isReady = mood !== 'unready' && looks > 2;
    return answer(isReady ? 200 : 503, {
      ready: isReady,
      reasons: isReady ? [] : ['no commit has been acted on yet'],
    });
  }
  if (url.endsWith('/status')) return answer(200, statusNow());
  return answer(404, { code: 'E_NOT_FOUND', detail: 'There is nothing here.' });
});
server.listen(0, '127.0.0.1', () => {
  mkdirSync(join(state, 'keys'), { recursive: true });
  for (const name of ['operator-token', 'runtime-token']) writeFileSync(join(state, name), 'token\n');
  // Whole or not at all, as the controller does it.
  writeFileSync(
    `${file}.new`,
    JSON.stringify({
      address: address(),
      pid: process.pid,
      repository: values.repo,
      branch: 'main',
      root: '',
      startedAt: 1,
    }),
  );
  renameSync(`${file}.new`, file);
});
process.on('SIGTERM', () => {
  if (mood === 'stubborn') return;
  rmSync(file, { force: true });
  process.exit(0);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

function address(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function statusNow(): object {
  const repository = {
    url: values.repo,
    branch: 'main',
    commit: null,
    subject: null,
    ageMs: 0,
    failure: null,
  };
  return { at: Date.now(), address: address(), repository, environments: [], operations: [], problems: [] };
}
