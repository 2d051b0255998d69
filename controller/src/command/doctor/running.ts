import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EnvironmentName,
  type EnvironmentStatus,
  type Loaded,
  ServingSnapshot,
  SNAPSHOT_PATH,
  type Status,
} from '@switchback-ml/schemas';
import { z } from 'zod';
import { replicaFolder } from '../../actuation/local-process/process-record.ts';
import type { Clock } from '../../clock.ts';
import { askRuntime } from '../../observation/ask-runtime.ts';
import { openManagement } from '../controller/management.ts';
import { readControllerFile, readSecret, STATE_FILES } from '../controller/state-directory.ts';
import { status } from '../status.ts';
import { productVersion } from '../version.ts';
import { attempt, type Check, fail, ok, skip, warn } from './check.ts';

const ANSWER_WITHIN_MS = 5000;

const Readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });
const Description = z.object({ info: z.object({ version: z.string() }) });

export interface RunningRequest {
  state: string;
  clock: Clock;
  signal: AbortSignal;
}

export interface Running {
  checks: Check[];
  /** Null: no controller says it. */
  status: Status | null;
}

/** The controller of the state directory, and the runtimes that it keeps. */
export async function runningChecks(request: RunningRequest): Promise<Running> {
  const { state, signal } = request;
  const controller = readControllerFile(state);
  if (controller === null)
    return { checks: [skip('controller', `none runs on ${state}; start one: switchback up`)], status: null };
  const { address, pid } = controller;
  if (!isThere(pid))
    return {
      checks: [
        fail(
          'controller',
          `process ${pid} that listened at ${address} is gone, and did not end in order`,
          'Start it again: switchback up. Its last words: switchback logs controller',
        ),
      ],
      status: null,
    };
  const checks = [...(await attempt('controller', signal, () => controllerCheck(address, pid, signal)))];
  if (checks.some(({ state: found }) => found === 'FAIL')) return { checks, status: null };
  const now = await status({ state, signal });
  for (const place of now.environments.flatMap(placesOf))
    checks.push(...(await attempt(`runtime of ${place.name}`, signal, () => runtimeCheck(place, request))));
  return { checks, status: now };
}

async function controllerCheck(address: string, pid: number, signal: AbortSignal): Promise<Check> {
  const readiness = await read(new URL('/readyz', address), Readiness, signal);
  const described = await read(new URL('/api/v1alpha1/openapi.json', address), Description, signal);
  if (readiness === null)
    return fail(
      'controller',
      `process ${pid} lives, and does not answer at ${address}`,
      'Look at its words: switchback logs controller. If it stays so, stop and start it: switchback up.',
    );
  const version = described?.info.version ?? 'unknown';
  if (!readiness.ready)
    return warn(
      'controller',
      `${version} at ${address} is not ready: ${readiness.reasons.join('; ')}`,
      'Mend what it names.',
    );
  if (version !== productVersion())
    return warn(
      'controller',
      `it is ${version}, this command is ${productVersion()}`,
      'Use the command of its version, or start the controller anew.',
    );
  return ok('controller', `${version} at ${address}, process ${pid}, is ready`);
}

/** One runtime of an environment; `name` is the environment's where it is the only one. */
interface Place extends Pick<EnvironmentStatus, 'address' | 'deployments'> {
  name: string;
  environment: EnvironmentName;
  replica: number;
}

function placesOf({ name, address, runtimes = [], deployments }: EnvironmentStatus): Place[] {
  if (runtimes.length < 2)
    return [{ name, environment: name, replica: runtimes[0]?.replica ?? 0, address, deployments }];
  return runtimes.map(runtime => ({
    name: runtime.name,
    environment: name,
    replica: runtime.replica,
    address: runtime.state === 'running' ? runtime.address : null,
    deployments,
  }));
}

async function runtimeCheck(
  { name, environment, replica, address, deployments }: Place,
  { state, clock, signal }: RunningRequest,
): Promise<Check> {
  const check = `runtime of ${name}`;
  if (deployments.length === 0) return skip(check, 'nothing is deployed there');
  const remedy = `Look at its words: switchback logs ${environment}`;
  if (address === null) return fail(check, 'it does not answer, and is being replaced', remedy);
  const token = readSecret(state, STATE_FILES.runtimeToken);
  const question = { address, boundMs: ANSWER_WITHIN_MS, clock, fetch: globalThis.fetch, signal };
  const word = await askRuntime(question, token);
  if (word.kind === 'silent') return fail(check, `at ${address}: ${word.reason}`, remedy);
  const { loaded, snapshot } = word.observation;
  const unfit = judgeLoaded(check, loaded, remedy);
  if (unfit) return unfit;
  const published = await publishedGeneration(state, environment, token, signal);
  const folder = replicaFolder(join(state, STATE_FILES.runtimes), { environment, replica });
  const age = ageOf(join(folder, 'snapshot.json'), clock.now());
  if (published !== null && snapshot !== published)
    return warn(
      check,
      `at ${address} it has snapshot ${snapshot ?? 'none'}, ${published} is published`,
      'Ask again in a moment. If it stays so: switchback logs controller, and of the runtime.',
    );
  const ready = loaded.filter(entry => entry.state === 'ready').length;
  return ok(
    check,
    `at ${address}, ${ready} of ${loaded.length} revisions ready, snapshot ${snapshot ?? 'none'}${age}`,
  );
}

/** What keeps a revision from being ready, by the runtime's own word; null: nothing does. */
export function judgeLoaded(check: string, loaded: readonly Loaded[], remedy: string): Check | null {
  const failed = loaded.find(entry => entry.state === 'failed');
  if (failed)
    return fail(
      check,
      `${failed.model}@${failed.version} failed: ${failed.failure?.message ?? 'it gave no reason'}`,
      remedy,
    );
  const waiting = loaded.find(entry => entry.state === 'pulling' && entry.failure !== undefined);
  if (!waiting) return null;
  return fail(
    check,
    `${waiting.model}@${waiting.version} waits for its files: ${waiting.failure?.message ?? ''}`,
    'switchback status names the file, and who can bring it.',
  );
}

async function publishedGeneration(
  state: string,
  environment: string,
  token: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { address } = openManagement(state);
  const url = new URL(SNAPSHOT_PATH.replace(':environment', environment), address);
  const snapshot = await read(url, ServingSnapshot, signal, { authorization: `Bearer ${token}` });
  return snapshot?.generation ?? null;
}

/** Null when it does not answer in time, or not in this form. */
async function read<Answer>(
  url: URL,
  schema: z.ZodType<Answer>,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Answer | null> {
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const response = await fetch(url, { headers, redirect: 'error', signal: bound });
    return schema.safeParse(await response.json()).data ?? null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** `, 12 min old` */
function ageOf(file: string, now: number): string {
  try {
    const minutes = Math.max(0, Math.round((now - statSync(file).mtimeMs) / 60_000));
    return minutes < 1 ? ', fresh' : `, ${minutes} min old`;
  } catch {
    return '';
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
