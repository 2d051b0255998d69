import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentName } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';

/** All that a runtime gets of the controller's variables: no credential of a forge or a ledger is among them. */
const HANDED_DOWN = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  // Where Node keeps programs as it has compiled them.
  'NODE_COMPILE_CACHE',
  // What it tells of requests, and to whom.
  'SWITCHBACK_REQUEST_LOG',
  'SWITCHBACK_PAYLOADS',
  'SWITCHBACK_PAYLOADS_REDACT',
]);
/** All that begin so: a runtime heeds some, and tells of the others that it does not. */
const HANDED_DOWN_PREFIX = 'OTEL_';

export interface RuntimeCommand {
  /** Program and first arguments, e.g. Node and the runtime's main. */
  command: readonly string[];
  environment: EnvironmentName;
  controllerUrl: string;
  /** Belongs to this runtime alone. */
  stateDirectory: string;
  host: string;
  /** Of requests, and how it comes to share it with the environment's others; absent: it does not. */
  port: number;
  sharePort?: 'at-once' | 'when-ready' | undefined;
  /** On the loopback, where it alone answers. */
  ownPort: number;
  /** Absent: it does not speak gRPC. */
  grpcPort?: number | undefined;
  tokenFile: string;
  /** Of answers that it remembers. */
  cacheBytes: number;
  redisFile?: string | undefined;
  /** That all its engines may hold together; absent: as it chooses itself. */
  engineMemoryBytes?: number | undefined;
}

/**
 * The pid of a process in a session of its own, not waited for, so that it outlives the controller. `onExit` is
 * told in words how it ended, if the controller is still there to see it.
 */
export async function spawnRuntime(options: RuntimeCommand, onExit: (how: string) => void): Promise<number> {
  const [program = '', ...first] = options.command;
  await mkdir(options.stateDirectory, { recursive: true, mode: 0o700 });
  // Whoever keeps the controller keeps this within bounds as well.
  await using log = await open(join(options.stateDirectory, 'runtime.log'), 'a', 0o600);

  const child = spawn(program, [...first, ...runtimeArguments(options)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: handedDown(process.env),
  });
  child.once('exit', (code, signal) =>
    onExit(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`),
  );
  try {
    await once(child, 'spawn');
  } catch (cause) {
    const message = `the runtime of ${options.environment} could not be started: ${program} can not be run; check the runtime's command`;
    throw new SwitchbackError('E_CONFIG', message, { cause });
  }
  child.unref();
  return child.pid!;
}

function runtimeArguments(options: RuntimeCommand): string[] {
  const given = {
    environment: options.environment,
    controller: options.controllerUrl,
    state: options.stateDirectory,
    port: options.port,
    host: options.host,
    'token-file': options.tokenFile,
    'share-port': options.sharePort,
    'own-port': options.ownPort,
    'grpc-port': options.grpcPort,
    'cache-mib': Math.round(options.cacheBytes / 2 ** 20),
    'redis-file': options.redisFile,
    'engine-memory-mib': mebibytes(options.engineMemoryBytes),
  };
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
}

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.max(1, Math.floor(bytes / 2 ** 20));
}

function handedDown(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isHanded = (name: string): boolean => HANDED_DOWN.has(name) || name.startsWith(HANDED_DOWN_PREFIX);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isHanded(name)));
}
