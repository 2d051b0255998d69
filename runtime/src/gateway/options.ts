import { parseArgs } from 'node:util';
import { SwitchbackError } from '../error.ts';

export interface GatewayArguments {
  runtimesFile: string;
  host: string;
  port: number;
  mostConnections: number;
}

export const USAGE =
  'gateway/main.ts --runtimes <file> [--port <n>] [--host <address>] [--connections <n, to each runtime>]';

/** Command line → settings. Unknown options are refused. */
export function parseGatewayArguments(args: readonly string[]): GatewayArguments {
  const values = readOptions(args);
  if (!values['runtimes']) throw refused('runtimes', 'is required');
  return Object.freeze({
    runtimesFile: values['runtimes'],
    host: values['host'] ?? '127.0.0.1',
    port: whole('port', values['port'] ?? '4180', 0, 65_535),
    mostConnections: whole('connections', values['connections'] ?? '256', 1, 10_000),
  });
}

function readOptions(args: readonly string[]): Partial<Record<string, string>> {
  const option = { type: 'string' } as const;
  const options = { runtimes: option, port: option, host: option, connections: option };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new SwitchbackError('E_USAGE', `The gateway does not know this option. Usage: ${USAGE}`, { cause });
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value >= least && value <= most) return value;
  throw refused(name, `must be a number from ${least} to ${most}`);
}

function refused(option: string, why: string): SwitchbackError {
  const message = `Option --${option} ${why}. Usage: ${USAGE}`;
  return new SwitchbackError('E_CONFIG', message, { details: { option } });
}
