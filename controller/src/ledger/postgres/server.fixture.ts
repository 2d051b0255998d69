import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian keeps the server's programs, beside the PATH. */
const DEBIAN = '/usr/lib/postgresql';
export const USER = 'switchback';
export const PASSWORD = 'a secret/of the tests';

/** Where it is missing the tests say so; in CI they fail. */
export function hasPostgres(): boolean {
  const isHere = programsFolder() !== null;
  if (!isHere && process.env['CI'] === 'true')
    throw new Error('PostgreSQL is missing; install it for these tests');
  if (!isHere) process.stderr.write('SKIPPED: PostgreSQL is missing, so the ledger was not tried with it\n');
  return isHere;
}

export interface RealPostgres extends AsyncDisposable {
  port: number;
  folder: string;
  /** A file with an address of it: of a new schema, or as said. */
  addressFile(given?: {
    port?: number;
    user?: string;
    password?: string;
    database?: string;
    query?: string;
  }): string;
  /** As the superuser, by the server's own client. */
  sql(text: string): string;
  /** From now on by TLS alone, with a certificate of 127.0.0.1 that it signed itself: its file. */
  requireTls(): string;
  /** SIGKILL for each session of ours; the server then ends all others and recovers. */
  killSessions(): void;
  /** SIGKILL, as far as the process that the others hang on. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A server of our own in a temporary folder, on a Unix socket there and on a port of 127.0.0.1. */
export async function startPostgres(settings: readonly string[] = []): Promise<RealPostgres> {
  const programs = programsFolder()!;
  const folder = mkdtempSync(join(tmpdir(), 'switchback-pg-'));
  const as = serverUser();
  chownSync(folder, as.uid ?? -1, as.gid ?? -1);
  makeCluster(programs, folder, as);
  const port = await freePort();
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = spawn(
      join(programs, 'postgres'),
      [
        '-D',
        join(folder, 'data'),
        '-k',
        folder,
        '-p',
        String(port),
        '-h',
        '127.0.0.1',
        ...SMALL,
        ...settings,
      ],
      { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    await untilReady(server);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
  };
  // A test run that is ended early disposes of nothing.
  const endWithUs = (): void => void server?.kill('SIGKILL');
  process.once('exit', endWithUs);
  await start();
  return {
    port,
    folder,
    addressFile: (given = {}) => addressFile(folder, { port, ...given }),
    sql: text => sql(programs, folder, port, text),
    requireTls: () => {
      const certificate = makeCertificate(folder, as);
      writeFileSync(join(folder, 'data', 'pg_hba.conf'), HOSTS_BY_TLS);
      sql(programs, folder, port, 'ALTER SYSTEM SET ssl = on');
      sql(programs, folder, port, 'SELECT pg_reload_conf()');
      return certificate;
    },
    killSessions: () => {
      const mine = `SELECT pid FROM pg_stat_activity WHERE application_name = 'switchback'`;
      const pids = sql(programs, folder, port, mine);
      for (const pid of pids.split('\n').filter(Boolean)) killIfThere(Number(pid));
    },
    kill: () => end('SIGKILL'),
    start,
    [Symbol.asyncDispose]: async () => {
      await end('SIGQUIT');
      process.off('exit', endWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const SMALL = [
  '-c',
  'shared_buffers=16MB',
  '-c',
  'max_connections=20',
  '-c',
  'autovacuum=off',
  '-c',
  'fsync=off',
];

function programsFolder(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map(one => join(DEBIAN, one, 'bin'));
  const onPath = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  return [...newestFirst, onPath ?? ''].find(one => existsSync(join(one, 'initdb'))) ?? null;
}

/** It refuses to be run by root. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (which: string, user: string): number | null => {
    const { status, stdout } = spawnSync('id', [which, user], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : null;
  };
  const user = idOf('-u', 'postgres') === null ? 'nobody' : 'postgres';
  return { uid: idOf('-u', user)!, gid: idOf('-g', user)! };
}

function makeCluster(programs: string, folder: string, as: { uid?: number; gid?: number }): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, PASSWORD);
  chownSync(passwordFile, as.uid ?? -1, as.gid ?? -1);
  const { status, stderr } = spawnSync(
    join(programs, 'initdb'),
    [
      ...['-D', join(folder, 'data'), '-U', USER, '--pwfile', passwordFile],
      ...['--auth-local=trust', '--auth-host=scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'],
    ],
    { ...as, cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
}

const HOSTS_BY_TLS = 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n';

function makeCertificate(folder: string, as: { uid?: number; gid?: number }): string {
  const [key, certificate] = [join(folder, 'data', 'server.key'), join(folder, 'data', 'server.crt')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const { status, stderr } = spawnSync(
    'openssl',
    ['req', '-x509', ...keys, ...subject, '-keyout', key, '-out', certificate],
    { ...as, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`openssl failed: ${stderr}`);
  return certificate;
}

async function untilReady(server: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of server.stderr!.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (!said.includes('ready to accept connections')) continue;
    server.stderr!.resume();
    return;
  }
  throw new Error(`postgres ended before it was ready: ${said}`);
}

function addressFile(
  folder: string,
  given: { port: number; user?: string; password?: string; database?: string; query?: string },
): string {
  const { port, user = USER, password = PASSWORD, database = 'postgres' } = given;
  const { query = `schema=t_${randomUUID().replaceAll('-', '')}` } = given;
  const file = join(folder, `address-${randomUUID()}`);
  const who = [user, password].map(encodeURIComponent).join(':');
  writeFileSync(file, `postgres://${who}@127.0.0.1:${port}/${database}?${query}\n`);
  return file;
}

/** It may have ended meanwhile, with the first of them that was killed. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function sql(programs: string, folder: string, port: number, text: string): string {
  const { status, stdout, stderr } = spawnSync(
    join(programs, 'psql'),
    [
      '-h',
      folder,
      '-p',
      String(port),
      '-U',
      USER,
      '-d',
      'postgres',
      '-AtqX',
      '-v',
      'ON_ERROR_STOP=1',
      '-c',
      text,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
