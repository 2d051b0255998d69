import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Backend, OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import { onTestFinished } from 'vitest';
import { type ControllerFixture, startController, TOKEN } from './controller.fixture.ts';
import { eventually, KEY, snapshotOf } from './serving.fixture.ts';

export const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

const FAULTS = new URL('./fault.fixture.ts', import.meta.url).href;

export interface RuntimeProcess {
  child: ChildProcess;
  address: string;
  stateDir: string;
  exit: Promise<number | null>;
  logs: { msg: string; [field: string]: unknown }[];
}

export interface RuntimeProcessOptions {
  stateDir?: string;
  /** Of fault.fixture.ts: what SIGUSR2 brings. */
  fault?: 'rejection' | 'exception' | 'block';
  /** Of descriptors. */
  mostFiles?: number;
}

/** A runtime as it is started in earnest. Ends with the test. */
export async function startProcess(
  controller: string,
  { stateDir, fault, mostFiles }: RuntimeProcessOptions = {},
): Promise<RuntimeProcess> {
  const folder = stateDir ?? (await temporary());
  const tokenFile = join(await temporary(), 'token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const options = { environment: 'test', controller, state: folder, 'token-file': tokenFile };
  const args = [
    ...(fault === undefined ? [] : ['--import', FAULTS]),
    MAIN,
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ];
  const bounded = ['-c', `ulimit -n ${mostFiles}; exec "$0" "$@"`, process.execPath, ...args];
  const [program, words] = mostFiles === undefined ? [process.execPath, args] : ['/bin/sh', bounded];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(fault !== undefined && { FAULT: fault }) },
  });
  const exit = new Promise<number | null>(resolve => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const logs: RuntimeProcess['logs'] = [];
  createInterface(child.stdout!).on('line', line => logs.push(JSON.parse(line)));
  const listening = await eventually(
    () => logs.find(({ msg }) => msg === 'runtime is listening'),
    'listening',
  );
  return { child, address: String(listening['address']), stateDir: folder, exit, logs };
}

export async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-runtime-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function controllerWith(
  backends: Backend[],
  objects: Map<string, Uint8Array>,
): Promise<ControllerFixture> {
  const controller = await startController();
  onTestFinished(() => controller[Symbol.asyncDispose]());
  for (const [digest, bytes] of objects) controller.objects.set(digest, bytes);
  controller.publish(snapshotOf({ ratio: backends }));
  return controller;
}

export const isReady = async (address: string) =>
  (await fetch(`${address}/v2/health/ready`).catch(() => null))?.status === 200;

export function ask(address: string, body: string, model = 'ratio'): Promise<Response> {
  return fetch(`${address}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}` },
    body,
  });
}

export async function observe(address: string): Promise<RuntimeObservation> {
  const response = await fetch(address + OBSERVATION_PATH, { headers: { authorization: `Bearer ${TOKEN}` } });
  return RuntimeObservation.parse(await response.json());
}

/** A dead process that nobody has reaped yet still has an entry, in state Z. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && stat.split(' ')[2] !== 'Z';
}
