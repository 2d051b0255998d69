import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import { LONG_LIVED } from '../long-lived.ts';
import { type LogLine, logLine } from './logs/line.ts';

const GATEWAY = fileURLToPath(new URL('../../../runtime/src/gateway/main.ts', import.meta.url));

/** It answers what it has before it ends, within about eleven seconds. */
const STOP_WITHIN_MS = 20_000;
/** The message of the line that says why it ends. */
const CAN_NOT_GO_ON = 'gateway can not go on';
/** All that it gets of our variables: no credential of a forge is among them. */
const HANDED_DOWN = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'NODE_COMPILE_CACHE',
];

export interface GatewayOptions {
  /** The file that lists runtimes. */
  runtimes: string;
  port?: number | undefined;
  host?: string | undefined;
  /** To each runtime at one time. */
  connections?: number | undefined;
  environment: Readonly<Record<string, string | undefined>>;
  /** Stops it: it answers what it has, and ends. */
  signal: AbortSignal;
  /** Told each line of its log as it comes. */
  onLine: (line: LogLine) => void;
  clock?: Clock;
  /** Program and first arguments of the gateway; its own options follow. */
  program?: readonly string[];
}

/**
 * Runs a gateway until the signal; resolves once it has ended. Throws the gateway's own error where it can not start
 * or go on, and E_CONFIG where this installation has none.
 */
export async function gateway(options: GatewayOptions): Promise<void> {
  const {
    signal,
    onLine,
    clock = systemClock,
    program = [process.execPath, ...LONG_LIVED, GATEWAY],
  } = options;
  const script = program.at(-1);
  if (script !== undefined && !existsSync(script))
    throw new SwitchbackError(
      'E_CONFIG',
      'The gateway is a part of the runtime, which is not installed here: run this where the runtime is.',
    );
  if (signal.aborted) return;
  const child = start(program, options);
  let last: LogLine | null = null;
  const reading = [child.stdout!, child.stderr!].map(stream =>
    read(stream, clock, line => {
      const isError = line.level === 'error' || line.level === 'fatal';
      if (isError && last?.message !== CAN_NOT_GO_ON) last = line;
      onLine(line);
    }),
  );
  const how = await ending(child, signal, clock);
  await Promise.all(reading);
  if (how !== null) throw failure(how, last);
}

/** In a session of its own: a terminal's Ctrl-C is for us, and it ends when the channel to us does. */
function start([program = '', ...first]: readonly string[], options: GatewayOptions): ChildProcess {
  const { runtimes, port, host, connections, environment } = options;
  const given = { runtimes, port, host, connections };
  const args = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  return spawn(program, [...first, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: Object.fromEntries(
      HANDED_DOWN.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])),
    ),
  });
}

/** How it ended, in words; null: well, or because it was told to. */
async function ending(child: ChildProcess, signal: AbortSignal, clock: Clock): Promise<string | null> {
  const isOver = new AbortController();
  let killing = Promise.resolve();
  const stop = (): void => {
    child.kill('SIGTERM');
    killing = clock.sleep(STOP_WITHIN_MS, isOver.signal).then(() => {
      if (!isOver.signal.aborted) child.kill('SIGKILL');
    });
  };
  signal.addEventListener('abort', stop, { once: true });
  const how = await new Promise<string | null>(resolve => {
    child.once('error', error => resolve(`it could not be started: ${messageOf(error)}`));
    child.once('exit', (code, by) => {
      // A signal of ours that comes before the program can hear any ends it as well.
      const wasTold = signal.aborted && by === 'SIGTERM';
      if (code === 0 || wasTold) resolve(null);
      else resolve(by === null ? `it exited with ${code}` : `it was ended by ${by}`);
    });
  });
  signal.removeEventListener('abort', stop);
  isOver.abort();
  await killing;
  return how;
}

/** Lines until the stream ends; what is no log line, such as the last words of a crash, is one of level error. */
async function read(stream: Readable, clock: Clock, onLine: (line: LogLine) => void): Promise<void> {
  for await (const text of createInterface(stream)) {
    const { fields, ...line } = logLine('gateway', text, clock.now());
    const { component: _, ...rest } = fields;
    onLine({ ...line, fields: rest });
  }
}

/**
 * In its own words, where the last of them say why it ended. Any other line may be old and about something that it
 * lived through.
 */
function failure(how: string, last: LogLine | null): SwitchbackError {
  const { code: said, reason } = last?.message === CAN_NOT_GO_ON ? last.fields : {};
  const code = ERROR_CODES.find(known => known === said);
  if (code !== undefined && typeof reason === 'string') return new SwitchbackError(code, reason);
  const words = last === null ? '' : ` The last error that it told: ${wordsOf(last)}`;
  return new SwitchbackError('E_INTERNAL', `The gateway is gone: ${how}.${words}`);
}

function wordsOf({ message, fields: { reason } }: LogLine): string {
  return (typeof reason === 'string' ? `${message}: ${reason}` : message).slice(0, 300);
}
