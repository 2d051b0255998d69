import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Status } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import { LONG_LIVED } from '../long-lived.ts';
import { readSecret, STATE_FILES } from './controller/state-directory.ts';
import { logFiles } from './logs/files.ts';
import { takeProcessLock } from './process-lock.ts';
import type { Progress } from './progress.ts';
import { watchController } from './up/controller-watch.ts';
import { curlLine } from './up/curl.ts';
import { exampleRequest } from './up/example-request.ts';
import { KeptController } from './up/kept-controller.ts';
import { endLeftRuntimes } from './up/left-runtimes.ts';
import { keepLogs } from './up/log-keeper.ts';
import { controllerReached, everythingServes, isAnswering } from './up/readiness.ts';
import { isFolder } from './workspace/target.ts';

const CONTROLLER = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface UpOptions {
  /** URL, or a folder with a bare repository. */
  repo: string;
  branch?: string | undefined;
  root?: string | undefined;
  state: string;
  port?: number | undefined;
  lfs?: string | undefined;
  /** A duration such as `1s`. */
  poll?: string | undefined;
  /** A duration such as `90d`. */
  keepEvents?: string | undefined;
  /** A size such as `64Gi`. */
  artifactBudget?: string | undefined;
  lfsHost?: readonly string[] | undefined;
  /** Absolute; holds the URL of a Redis in which the runtimes of an environment share answers. */
  redisFile?: string | undefined;
  /** Absolute; holds the address of the PostgreSQL database with the ledger. */
  ledgerUrlFile?: string | undefined;
  progress?: Progress;
  /** Told when the controller died and is started again. */
  onRestart?: (how: string) => void;
  signal?: AbortSignal;
  clock?: Clock;
  /** Program and first arguments of the controller; its own options follow. */
  controller?: readonly string[];
}

export interface Running extends AsyncDisposable {
  /** Of the management API. */
  address: string;
  /** Why the controller is not ready, e.g. with the remote away: it goes on trying. Null: it is. */
  unready: string | null;
  /** Absolute. */
  state: string;
  /** When everything served, or the patience for that ended. */
  status: Status;
  examples: readonly Example[];
  /** Resolves to the reason when there is no controller any more. */
  exited: Promise<string>;
  /** Of the controller's present life. */
  pid(): number | null;
  /** Tears everything down, runtimes too. */
  stop(): Promise<void>;
}

export interface Example {
  environment: string;
  address: string;
  /** Absolute; holds an inference key of it. */
  keyFile: string;
  /** A line to paste; null while nothing is served there. */
  curl: string | null;
}

/**
 * The whole loop on this machine: a controller over a state directory of its own, kept alive until `stop`. Throws
 * E_CONFLICT when another `up` has the directory, and the controller's last words when it can't start.
 */
export async function up(options: UpOptions): Promise<Running> {
  const { clock = systemClock, progress = () => {}, signal = new AbortController().signal } = options;
  const state = resolve(options.state);
  refuseMissingFolder(options.repo);
  await using opened = new AsyncDisposableStack();
  await takeState(state, opened);
  const kept = new KeptController({
    command: [
      ...(options.controller ?? [process.execPath, ...LONG_LIVED, CONTROLLER]),
      ...controllerArguments(options, state),
    ],
    codeFolder: join(state, STATE_FILES.code),
    logFile: join(state, STATE_FILES.log),
    clock,
    onEnd: how => options.onRestart?.(how),
  });
  opened.defer(() => kept.stop());

  const wait = { state, clock, progress, signal };
  const { address, unready } = await orExited(kept, signal, bound =>
    controllerReached(() => kept.pid, { ...wait, signal: bound }),
  );
  kept.ready();
  opened.use(
    watchController({
      pid: () => kept.pid,
      isAnswering: (pid, until) => isAnswering(state, pid, until),
      kill: endHung,
      onHung: how => options.onRestart?.(how),
      clock,
    }),
  );
  opened.use(keepLogs({ files: () => logFiles(state).map(({ file }) => file), clock }));
  const status = await orExited(kept, signal, bound => everythingServes({ ...wait, signal: bound }));
  const examples = await examplesOf(status, state, signal);

  const running = opened.move();
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= tearDown(running, kept, state, clock);
    return stopped;
  };
  return {
    address,
    unready,
    state,
    status,
    examples,
    exited: kept.exited,
    pid: () => kept.pid,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** It may have ended on its own meanwhile. */
function endHung(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function refuseMissingFolder(repo: string): void {
  if (!isFolder(repo) || existsSync(repo)) return;
  throw new SwitchbackError(
    'E_CONFIG',
    `There is no folder ${repo}. Name a folder with a bare repository (git clone --bare …), or the address of one.`,
  );
}

async function takeState(state: string, opened: AsyncDisposableStack): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const taken = await takeProcessLock(join(state, STATE_FILES.lock));
  if (taken.kind === 'held')
    throw new SwitchbackError(
      'E_CONFLICT',
      `Another switchback up (process ${taken.by.pid}) runs on ${state}. Stop it (kill ${taken.by.pid}), or name another directory by --state.`,
      { details: { pid: taken.by.pid } },
    );
  opened.use(taken.lock);
}

function controllerArguments(options: UpOptions, state: string): string[] {
  const {
    repo,
    branch,
    root,
    port,
    lfs,
    poll,
    keepEvents,
    artifactBudget,
    redisFile,
    ledgerUrlFile,
    lfsHost = [],
  } = options;
  const given = {
    repo,
    branch,
    root,
    state,
    port,
    lfs,
    poll,
    'keep-events': keepEvents,
    'artifact-budget': artifactBudget,
    'redis-file': redisFile,
    'ledger-url-file': ledgerUrlFile,
  };
  return [...Object.entries(given), ...lfsHost.map(host => ['lfs-host', host] as const)].flatMap(
    ([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]),
  );
}

/** What `wait` resolves to, unless there is nothing to wait for any more. */
async function orExited<Result>(
  kept: KeptController,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const waited = wait(AbortSignal.any([signal, over.signal]));
  const exited = kept.exited.then(how => {
    throw new SwitchbackError('E_INTERNAL', `The controller can not start: ${how}.`);
  });
  try {
    return await Promise.race([waited, exited]);
  } finally {
    over.abort();
    await Promise.allSettled([waited]);
  }
}

async function examplesOf(
  { address, environments }: Status,
  state: string,
  signal: AbortSignal,
): Promise<Example[]> {
  const runtimeToken = readSecret(state, STATE_FILES.runtimeToken);
  const examples = environments.map(async ({ name, address: served, deployments }): Promise<Example[]> => {
    const model = deployments.find(({ backends }) =>
      backends.some(backend => backend.state === 'ready'),
    )?.model;
    if (served === null) return [];
    const asked = { controllerUrl: address, runtimeToken, environment: name, signal };
    const body = model === undefined ? null : await exampleRequest({ ...asked, model });
    const example = { environment: name, address: served, keyFile: join(state, STATE_FILES.keys, name) };
    if (model === undefined || body === null) return [{ ...example, curl: null }];
    return [{ ...example, curl: curlLine({ address: served, environment: name, model, state, body }) }];
  });
  return (await Promise.all(examples)).flat();
}

async function tearDown(
  running: AsyncDisposableStack,
  kept: KeptController,
  state: string,
  clock: Clock,
): Promise<void> {
  await kept.stop();
  await endLeftRuntimes(join(state, STATE_FILES.runtimes), clock);
  await running.disposeAsync();
}
