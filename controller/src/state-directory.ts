import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Config } from './config.ts';

/** Paths of one controller's state; everything it keeps stands below one folder that only its owner can read. */
export interface StateDirectory {
  runtimeToken: string;
  ledger: string;
  repository: string;
  artifacts: string;
  runtimes: string;
  lastSeen: string;
  /** Stable name of this controller for the lease, so that its next life need not wait for the last one's to end. */
  holder: string;
}

export function openStateDirectory(directory: string): StateDirectory {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const holderFile = join(directory, 'holder');
  if (!existsSync(holderFile)) writeFileSync(holderFile, `${randomUUID()}\n`, { mode: 0o600 });
  return {
    runtimeToken: join(directory, 'runtime-token'),
    ledger: join(directory, 'ledger.sqlite'),
    repository: join(directory, 'repository'),
    artifacts: join(directory, 'artifacts'),
    runtimes: join(directory, 'runtimes'),
    lastSeen: join(directory, 'last-seen.json'),
    holder: readFileSync(holderFile, 'utf8').trim(),
  };
}

/** The port asked for, else the one of the last life, else a free one: runtimes and people keep the address. */
export async function choosePort({
  state,
  host,
  port,
}: Pick<Config, 'state' | 'host' | 'port'>): Promise<number> {
  if (port !== 0) return port;
  const file = join(state, 'port');
  const remembered = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const chosen = (await freePort(host, remembered)) ?? (await freePort(host, 0)) ?? 0;
  writeFileSync(file, String(chosen));
  return chosen;
}

function freePort(host: string, port: number): Promise<number | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host, port }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}

/** Says where this controller answers, for as long as it lives in order. */
export function announce({ state, repository }: Config, address: string, startedAt: number): Disposable {
  const file = join(state, 'controller.json');
  const { url, branch, root } = repository;
  writeFileSync(
    `${file}.new`,
    JSON.stringify({ address, pid: process.pid, repository: url, branch, root, startedAt }),
    { mode: 0o600 },
  );
  renameSync(`${file}.new`, file);
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}
