import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { type Check, fail, ok, skip, warn } from './check.ts';
import { ask, isOnPath } from './program.ts';

const OLDEST_NODE = 24;
const OLDEST_GIT = [2, 38] as const;
const MIB = 2 ** 20;
/** Below it the ledger, logs and clones soon fail to be written. */
const LEAST_FREE_BYTES = 256 * MIB;
const ENOUGH_FREE_BYTES = 2048 * MIB;
/** What controller, fronts and spare engines take beside the models. */
const OWN_BYTES = 512 * MIB;

export function nodeCheck(version = process.versions.node): Check {
  if (Number(version.split('.')[0]) >= OLDEST_NODE) return ok('node', version);
  return fail('node', `${version}, older than ${OLDEST_NODE}`, `Install Node ${OLDEST_NODE} or newer.`);
}

export async function gitCheck(signal: AbortSignal): Promise<Check> {
  const { code, stdout } = await ask(['git', '--version'], { signal });
  return judgeGit(code === 0 ? stdout : null);
}

/** @param said what `git --version` prints; null: it could not be run */
export function judgeGit(said: string | null): Check {
  const remedy = `Install git ${OLDEST_GIT.join('.')} or newer, and put it on PATH.`;
  const [version, major = 0, minor = 0] = /(\d+)\.(\d+)[.\d]*/.exec(said ?? '') ?? [];
  if (version === undefined) return fail('git', 'it is not on PATH', remedy);
  const [oldMajor, oldMinor] = OLDEST_GIT;
  const isEnough = Number(major) > oldMajor || (Number(major) === oldMajor && Number(minor) >= oldMinor);
  return isEnough ? ok('git', version) : fail('git', `${version} is too old`, remedy);
}

/** Only people need it, who put weights into a clone by hand. */
export async function gitLfsCheck(signal: AbortSignal): Promise<Check> {
  const { code, stdout } = await ask(['git', 'lfs', 'version'], { signal });
  if (code === 0) return ok('git-lfs', /git-lfs\/(\S+)/.exec(stdout)?.[1] ?? 'is there');
  return warn(
    'git-lfs',
    'it is not installed; the controller and "switchback register" do without',
    'Install git-lfs if you commit weights by hand.',
  );
}

/** What keeps a model's engine within its memory, and from outliving its runtime. */
export async function isolationCheck(platform: string = process.platform, path?: string): Promise<Check> {
  if (platform !== 'linux')
    return warn(
      'isolation',
      `on ${platform} the memory of engines is not limited`,
      'Run models that you do not trust on Linux.',
    );
  const missing: string[] = [];
  for (const program of ['prlimit', 'setpriv']) if (!(await isOnPath(program, path))) missing.push(program);
  if (missing.length === 0) return ok('isolation', 'engines get memory limits (prlimit, setpriv)');
  return warn(
    'isolation',
    `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing: limits of engines are not kept in full`,
    'Install util-linux.',
  );
}

export async function diskCheck(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(nearestFolder(folder));
  return judgeDisk(bavail * bsize, folder);
}

export function judgeDisk(freeBytes: number, folder: string): Check {
  const said = `${mib(freeBytes)} free for ${folder}`;
  const remedy = 'Free some space, or put the state directory elsewhere by --state.';
  if (freeBytes < LEAST_FREE_BYTES) return fail('disk', said, remedy);
  if (freeBytes < ENOUGH_FREE_BYTES) return warn('disk', said, remedy);
  return ok('disk', said);
}

export interface Limits {
  memoryBytes: number;
  processors: number;
}

/** What this process group may use: the control group's limits within the machine's own. */
export function machineLimits(
  read: (file: string) => string | null = readOrNull,
  machine: Limits = { memoryBytes: totalmem(), processors: availableParallelism() },
): Limits {
  const memory = Number(read('/sys/fs/cgroup/memory.max'));
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').split(/\s+/).map(Number);
  const processors = quota && period ? quota / period : Number.NaN;
  return {
    memoryBytes: memory > 0 ? Math.min(memory, machine.memoryBytes) : machine.memoryBytes,
    processors: processors > 0 ? Math.min(processors, machine.processors) : machine.processors,
  };
}

/** @param askedBytes what all deployments together may take by their limits; null: not known */
export function judgeLimits({ memoryBytes, processors }: Limits, askedBytes: number | null): Check {
  const has = `${mib(memoryBytes)} of memory, ${Number(processors.toFixed(1))} processors`;
  if (askedBytes === null) return skip('limits', `${has}; what is asked for is not known`);
  const needsBytes = askedBytes + OWN_BYTES;
  const said = `${has}; limits.memory of all deployments and the rest may take ${mib(needsBytes)}`;
  if (needsBytes <= memoryBytes) return ok('limits', said);
  return warn('limits', said, 'Lower limits.memory where it is generous, or give the machine more.');
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(dirname(folder));
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

function mib(bytes: number): string {
  return bytes >= 10 * 1024 * MIB
    ? `${Math.floor(bytes / 1024 / MIB)} GiB`
    : `${Math.floor(bytes / MIB)} MiB`;
}
