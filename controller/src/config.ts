import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Duration, Size } from '@switchback-ml/schemas';
import { z } from 'zod';
import { messageOf, SwitchbackError } from './error.ts';

/** Everything a person can set of the controller process; read once, in main. */
const Options = z.strictObject({
  repo: z.string().min(1),
  branch: z
    .string()
    .regex(/^[A-Za-z0-9][-._/A-Za-z0-9]{0,200}$/)
    .default('main'),
  root: z
    .string()
    .regex(/^(?!.*\.\.)[-._/A-Za-z0-9]*$/)
    .default(''),
  state: z.string().min(1),
  host: z.enum(['127.0.0.1', 'localhost', '::1']).default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  lfs: z.url().optional(),
  poll: Duration.prefault('1s'),
  'artifact-budget': Size.prefault('64Gi'),
  'lfs-host': z
    .array(z.string().regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:\d{1,5})?$/i))
    .max(20)
    .default([]),
  'keep-events': Duration.prefault('90d'),
  'redis-file': z.string().min(1).optional(),
  'ledger-url-file': z.string().min(1).optional(),
  'log-level': z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export interface Config {
  repository: {
    url: string;
    branch: string;
    root: string;
    lfsUrl: string | null;
    /** Where the LFS server may send us beside its own host. */
    allowedHosts: readonly string[];
    isDirectory: boolean;
  };
  state: string;
  host: string;
  port: number;
  pollMs: number;
  /** How old an event may get before it is forgotten. */
  keepEventsMs: number;
  /** What artifacts that nobody needs may take of the disk. */
  artifactBudgetBytes: number;
  /** Holds the URL of a Redis in which the runtimes of an environment share answers; null: none do. */
  redisFile: string | null;
  /** Holds the address of the PostgreSQL database with the ledger; null: it is a file of the state directory. */
  ledgerUrlFile: string | null;
  logLevel: string;
  author: { name: string; email: string };
}

/** No address is longer. */
const REDIS_FILE_BYTES = 4096;

/** Looks into the file of `--redis-file`. Throws E_CONFIG naming the option and what it takes. */
export function readConfig(argv: readonly string[]): Readonly<Config> {
  const names = Object.keys(Options.shape);
  const options = Object.fromEntries(
    names.map(name => [name, { type: 'string' as const, multiple: name === 'lfs-host' }]),
  );
  const { values } = parse(() => parseArgs({ args: [...argv], options, strict: true }));
  const read = Options.safeParse(values);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new SwitchbackError(
      'E_CONFIG',
      `--${issue?.path.join('.') ?? 'option'}: ${issue?.message ?? 'is wrong'}`,
    );
  }
  const { repo, branch, root, lfs, ...rest } = read.data;
  const isDirectory = !/^[a-z][-+.a-z0-9]*:\/\//i.test(repo) && !/^[^/\\]+@[^/\\]+:/.test(repo);
  return Object.freeze({
    repository: {
      url: isDirectory ? resolve(repo) : repo,
      branch,
      root,
      lfsUrl: lfs ?? null,
      allowedHosts: rest['lfs-host'],
      isDirectory,
    },
    state: resolve(rest.state),
    host: rest.host,
    port: rest.port,
    pollMs: rest.poll,
    keepEventsMs: rest['keep-events'],
    artifactBudgetBytes: rest['artifact-budget'],
    redisFile: rest['redis-file'] === undefined ? null : readableRedisFile(resolve(rest['redis-file'])),
    ledgerUrlFile: rest['ledger-url-file'] === undefined ? null : resolve(rest['ledger-url-file']),
    logLevel: rest['log-level'],
    author: { name: 'Switchback', email: 'switchback@localhost' },
  });
}

/**
 * Runtimes read it when they start, and do not start without: those that run would be replaced by none. What it holds
 * may have a password in it, and is told to nobody.
 */
function readableRedisFile(file: string): string {
  const { protocol = '', search = '' } = URL.parse(startOf(file).trim()) ?? {};
  if (/^(rediss?|unix):$/.test(protocol) && search === '') return file;
  throw new SwitchbackError(
    'E_CONFIG',
    `--redis-file: ${file} must hold the address of a Redis, redis://, rediss:// or unix:///path/of/its/socket, with no query, and nothing else`,
  );
}

/** As much as an address may have, and a byte more. */
function startOf(file: string): string {
  try {
    if (!statSync(file).isFile()) throw new Error('it is no file');
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(REDIS_FILE_BYTES + 1);
      const count = readSync(descriptor, bytes);
      return count > REDIS_FILE_BYTES ? '' : bytes.toString('utf8', 0, count);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const message = `--redis-file: ${file} can not be read (${messageOf(cause)}); make the file or name another`;
    throw new SwitchbackError('E_CONFIG', message, { cause });
  }
}

function parse<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new SwitchbackError('E_CONFIG', error instanceof Error ? error.message : String(error));
  }
}
