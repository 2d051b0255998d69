import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { SwitchbackError } from '../../error.ts';
import { damaged, judgeWords } from './damage.ts';
import { CONFIG_ARGUMENTS } from './environment.ts';
import { oneLine, plainText } from './words.ts';

export interface GitRequest {
  args: readonly string[];
  signal: AbortSignal;
  input?: string | Uint8Array;
  env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers; any other throws E_GIT_FAILED. Default: 0 alone. */
  accept?: readonly number[] | 'any';
  timeoutMs?: number;
  /** Of standard output. */
  limitBytes?: number;
  /** Whatever else this machine does goes first. */
  isBackground?: boolean;
}

export interface GitResult {
  /** A process that somebody killed counts as fatal. */
  code: number;
  wasKilled: boolean;
  stdout: Buffer;
  /** Fit to be shown: no control characters, no secrets. */
  stderr: string;
}

/** Runs git against one clone in the hardened environment, with bounds on time and output. */
export interface Git {
  run(request: GitRequest): Promise<GitResult>;
  /** A process that lives on; the caller ends it. */
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Sends a signal to the process and to what it started. */
  kill(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void;
  /** Foreign text without control characters and secrets. */
  plain(text: string): string;
  /** Resolves when no `run` is under way. */
  idle(): Promise<void>;
  /** Does `act` while no `run` begins; those under way are waited for, but not longer than `patienceMs`. */
  alone(patienceMs: number, act: () => void): Promise<void>;
}

const LOCAL_TIMEOUT_MS = 60_000;
const GRACE_MS = 2_000;
const OUTPUT_LIMIT = 256 * 1024 * 1024;
const ERROR_LIMIT = 64 * 1024;
/** git dies with this code on fatal errors; others are answers of the command. */
export const FATAL = 128;

export interface GitSettings {
  directory: string;
  home: string;
  environment: Readonly<Record<string, string>>;
  /** Values that must not appear in any message. */
  secrets: readonly string[];
}

export function gitRunner({ directory, home, environment, secrets }: GitSettings): Git {
  function start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ChildProcessWithoutNullStreams {
    return spawn('git', [`--git-dir=${directory}`, ...CONFIG_ARGUMENTS, ...args], {
      cwd: home,
      env: { ...environment, ...env },
      // Its own process group, so that git's helpers end with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  const running = new Set<Promise<unknown>>();
  const plain = (text: string): string => plainText(text, secrets);

  let gate: Promise<void> | null = null;

  async function run(request: GitRequest): Promise<GitResult> {
    while (gate !== null) await gate;
    request.signal.throwIfAborted();
    const result = collect(start(request.args, request.env), request);
    const done = result.finally(() => running.delete(done));
    running.add(done);
    return judged(request, await done);
  }

  function judged(request: GitRequest, result: GitResult): GitResult {
    const stderr = plain(result.stderr);
    const { accept = [0] } = request;
    if (accept === 'any' || accept.includes(result.code)) return { ...result, stderr };
    throw failed(request.args[0] ?? '', stderr, result.code);
  }

  async function idle(): Promise<void> {
    await Promise.allSettled(running);
  }

  async function alone(patienceMs: number, act: () => void): Promise<void> {
    while (gate !== null) await gate;
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, patienceMs);
    try {
      await Promise.race([idle(), patience.promise]);
      act();
    } finally {
      clearTimeout(timer);
      gate = null;
      open.resolve();
    }
  }

  return { start, kill: killGroup, plain, run, idle, alone };
}

function collect(child: ChildProcessWithoutNullStreams, request: GitRequest): Promise<GitResult> {
  const { promise, resolve, reject } = Promise.withResolvers<GitResult>();
  const { signal, timeoutMs = LOCAL_TIMEOUT_MS, limitBytes = OUTPUT_LIMIT } = request;
  if (request.isBackground) yieldToOthers(child);
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = '';
  let ending: unknown;
  let killer: NodeJS.Timeout | undefined;

  function end(reason: unknown): void {
    if (ending !== undefined) return;
    ending = reason;
    killGroup(child, 'SIGTERM');
    killer ??= setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS);
  }
  const onAbort = (): void => end(signal.reason);
  const timer = setTimeout(() => end(timedOut(request, timeoutMs)), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });

  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) end(tooMuch(request, limitBytes));
    else chunks.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < ERROR_LIMIT) stderr += chunk.toString('utf8');
  });
  // git may end before it has read everything; its exit code says why, the broken pipe does not.
  child.stdin.on('error', () => {});
  child.stdin.end(request.input);
  child.once('error', cause => {
    settle();
    reject(missing(cause));
  });
  // A helper that outlived its git would hold the pipes open.
  child.once('exit', () => {
    killer ??= setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS);
  });
  child.once('close', code => {
    settle();
    if (ending !== undefined) reject(ending);
    else
      resolve({
        code: code ?? FATAL,
        wasKilled: code === null,
        stdout: Buffer.concat(chunks),
        stderr: code === null ? `${stderr}\nit was killed` : stderr,
      });
  });
  function settle(): void {
    clearTimeout(timer);
    clearTimeout(killer);
    signal.removeEventListener('abort', onAbort);
  }
  return promise;
}

function killGroup(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function yieldToOthers({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or this system does not know priorities.
  }
}

function failed(command: string, stderr: string, code: number): SwitchbackError {
  const said = oneLine(stderr) || `it ended with code ${code}`;
  const suspicion = judgeWords(stderr);
  if (suspicion === 'damaged') return damaged(`git ${command} failed: ${said}`);
  const details = { command, suspicion };
  return new SwitchbackError('E_GIT_FAILED', `git ${command} failed: ${said}`, { details });
}

function tooMuch({ args: [command] }: GitRequest, limitBytes: number): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_TOO_LARGE',
    `git ${command} printed more than ${limitBytes / 1024 ** 2} MiB: the model repository has too many files or commits to be read.`,
    { details: { command } },
  );
}

function timedOut(request: GitRequest, timeoutMs: number): SwitchbackError {
  const command = request.args[0] ?? '';
  return new SwitchbackError(
    'E_GIT_FAILED',
    `git ${command} did not end within ${timeoutMs / 1000} s and was stopped.`,
    {
      details: { command, isTimeout: true },
    },
  );
}

export function isTimeout(error: unknown): boolean {
  return error instanceof SwitchbackError && error.details['isTimeout'] === true;
}

function missing(cause: Error): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_MISSING',
    'git can not be started; install git 2.38 or newer and put it on the PATH.',
    { cause },
  );
}
