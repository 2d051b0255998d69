import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { messageOf, SwitchbackError } from '../../error.ts';

/** No address is longer. */
const MOST_BYTES = 4096;
const KEYS = ['host', 'schema', 'sslmode', 'sslrootcert'];
const TLS_MODES = ['disable', 'require', 'verify-full'] as const;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);
/** Unquoted identifiers of PostgreSQL, which are cut after 63 bytes. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** `require` encrypts and believes any certificate, as PostgreSQL's own programs do. */
export type TlsMode = (typeof TLS_MODES)[number];

export interface Address {
  /** A name, an IP address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  /** Empty: the server is expected to ask for none. */
  password: string;
  database: string;
  tls: { mode: TlsMode; rootCertificate: string | null };
  /** Null: the one that is named after the repository. */
  schema: string | null;
}

/**
 * What the file holds: `postgres://user:password@host:port/database`, with `schema`, `sslmode`, `sslrootcert` and
 * `host` (of a Unix socket) as its query. Throws E_LEDGER, which never quotes what it read.
 */
export function readAddress(file: string): Address {
  const url = URL.parse(textOf(file));
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw refused(file, 'it is no such address');
  const query = url.searchParams;
  for (const key of query.keys())
    if (!KEYS.includes(key)) throw refused(file, `of its query only ${KEYS.join(', ')} are known`);
  const host = query.get('host') ?? decoded(file, url.hostname).replace(/^\[(.*)\]$/, '$1');
  const [user, database] = [decoded(file, url.username), decoded(file, url.pathname.slice(1))];
  if (host === '' || user === '' || database === '')
    throw refused(file, 'it must name a host, a user and a database');
  const port = url.port === '' ? 5432 : Number(url.port);
  const password = decoded(file, url.password);
  return {
    host,
    port,
    user,
    password,
    database,
    tls: tlsOf(file, host, query),
    schema: schemaOf(file, query),
  };
}

/** What may be told of it: where it is and what it is called. */
export function printAddress({ host, port, database }: Address): string {
  return `${database} at ${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function tlsOf(file: string, host: string, query: URLSearchParams): Address['tls'] {
  const isNear = isAbsolute(host) || LOOPBACK.has(host);
  const asked = query.get('sslmode') ?? (isNear ? 'disable' : 'verify-full');
  const mode = TLS_MODES.find(known => known === asked);
  if (mode === undefined) throw refused(file, `sslmode is one of ${TLS_MODES.join(', ')}`);
  const rootCertificate = query.get('sslrootcert');
  if (rootCertificate !== null && (mode !== 'verify-full' || !isAbsolute(rootCertificate)))
    throw refused(file, 'sslrootcert is the full path of a file, for sslmode=verify-full');
  return { mode, rootCertificate };
}

function schemaOf(file: string, query: URLSearchParams): string | null {
  const schema = query.get('schema');
  if (schema === null) return null;
  if (SCHEMA.test(schema) && !schema.startsWith('pg_') && schema !== 'public') return schema;
  throw refused(
    file,
    'schema is a name of small letters, digits and _ (63 at most), and neither public nor pg_…',
  );
}

function decoded(file: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused(file, 'a % in it stands before no two hexadecimal digits; write %25 for it');
  }
}

function textOf(file: string): string {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > MOST_BYTES) throw new Error('it is longer than any address');
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const message = `the address of the ledger in ${file} can not be read (${messageOf(cause)}); make the file or name another`;
    throw new SwitchbackError('E_LEDGER', message, { details: { file }, cause });
  }
}

function refused(file: string, why: string): SwitchbackError {
  const message = `the address of the ledger in ${file} is refused: ${why}; it looks like postgres://user:password@host:5432/database`;
  return new SwitchbackError('E_LEDGER', message, { details: { file } });
}
