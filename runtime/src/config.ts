import { parseArgs } from 'node:util';
import { EnvironmentName } from '@switchback-ml/schemas';
import { SwitchbackError } from './error.ts';
import { parseTelemetrySettings, type TelemetrySettings } from './telemetry/settings.ts';

export interface Config {
  environment: EnvironmentName;
  /** Base URL of the controller, without a trailing slash. */
  controller: string;
  /** Everything this runtime keeps; when the folder is gone, so is its reason to run. */
  stateDir: string;
  /** 0: any free one. */
  port: number;
  host: string;
  /** Others of this environment listen on the port too: join them at once, or when ready. Absent: nobody else does. */
  sharePort?: 'at-once' | 'when-ready' | undefined;
  /** On the loopback, of a way in that leads to this runtime alone. Absent: there is none. */
  ownPort?: number | undefined;
  /** Holds the secret shared with the controller. */
  tokenFile: string;
  /** Of the gRPC server; null: there is none. 0: any free one. */
  grpcPort: number | null;
  /** Of answers remembered in this process, in bytes. */
  cacheBytes: number;
  /** Holds the URL of a Redis that the runtimes of this environment share answers by; null: each has its own. */
  redisFile: string | null;
  /** That all engines together may hold; absent: a part of the machine's memory, or of the control group's. */
  engineMemoryBytes?: number;
  telemetry: TelemetrySettings;
}

export const USAGE =
  'main.ts --environment <name> --controller <url> --state <dir> --token-file <path> [--port <n>] [--host <address>] [--grpc-port <n>] [--cache-mib <n>] [--redis-file <path>] [--engine-memory-mib <n>] [--share-port at-once|when-ready] [--own-port <n>]';

/** Command line and environment → settings. Unknown options are refused. */
export function parseConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  platform: NodeJS.Platform = process.platform,
): Config {
  const values = readOptions(args);
  const environment = EnvironmentName.safeParse(required(values, 'environment'));
  if (!environment.success) throw refused('environment', 'must be the name of an environment, such as prod');

  return Object.freeze({
    environment: environment.data,
    controller: parseBaseUrl(required(values, 'controller')),
    stateDir: required(values, 'state'),
    port: parsePort('port', values['port'] ?? '0'),
    host: values['host'] ?? '127.0.0.1',
    tokenFile: required(values, 'token-file'),
    grpcPort: values['grpc-port'] === undefined ? null : parsePort('grpc-port', values['grpc-port']),
    cacheBytes: parseMebibytes('cache-mib', values['cache-mib'] ?? '64'),
    redisFile: values['redis-file'] ?? null,
    ...(values['engine-memory-mib'] !== undefined && {
      engineMemoryBytes: parseMebibytes('engine-memory-mib', values['engine-memory-mib']),
    }),
    sharePort: parseSharing(values, platform),
    ownPort: values['own-port'] === undefined ? undefined : parsePort('own-port', values['own-port']),
    telemetry: parseTelemetrySettings(env),
  });
}

function readOptions(args: readonly string[]): Partial<Record<string, string>> {
  const option = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        environment: option,
        controller: option,
        state: option,
        port: option,
        host: option,
        'token-file': option,
        'grpc-port': option,
        'cache-mib': option,
        'redis-file': option,
        'engine-memory-mib': option,
        'share-port': option,
        'own-port': option,
      },
    }).values;
  } catch (error) {
    throw new SwitchbackError('E_USAGE', `The runtime does not know this option. Usage: ${USAGE}`, {
      cause: error,
    });
  }
}

function required(values: Partial<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value) return value;
  throw refused(name, 'is required');
}

function parseBaseUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
  if (!isPlain) throw refused('controller', 'must be an http or https URL without credentials or query');
  return url.href.replace(/\/+$/, '');
}

function parsePort(option: string, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw refused(option, 'must be a number from 0 to 65535');
}

/** Elsewhere the system has nothing that deals connections out among processes. */
function parseSharing(
  values: Partial<Record<string, string>>,
  platform: NodeJS.Platform,
): Config['sharePort'] {
  const when = values['share-port'];
  if (when === undefined) return undefined;
  if (when !== 'at-once' && when !== 'when-ready') throw refused('share-port', 'is at-once or when-ready');
  if (platform !== 'linux') throw refused('share-port', 'needs Linux; leave it out, and start one runtime');
  for (const option of ['port', 'grpc-port'] as const)
    if (Number(values[option] ?? (option === 'port' ? 0 : 1)) === 0)
      throw refused(option, 'must name the port that is shared');
  return when;
}

function parseMebibytes(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text) * 2 ** 20;
  throw refused(option, 'must be a whole number of mebibytes');
}

function refused(option: string, why: string): SwitchbackError {
  return new SwitchbackError('E_CONFIG', `Option --${option} ${why}. Usage: ${USAGE}`, {
    details: { option },
  });
}
