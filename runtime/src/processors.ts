import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';

/** What this process has of the machine's processors. */
export interface Processors {
  machine: number;
  /** That it may run on (cpuset, affinity); null: this system doesn't say. */
  allowed: number | null;
  /** What the control group may use, in processors; null: as much as there is, or it is not known. */
  quota: number | null;
  /** As Node works it out of all that. */
  usable: number;
}

/** What is made of them. */
export interface ProcessorUse {
  /** Engines that start and load side by side. */
  loadsAtOnce: number;
  /** Of each engine, for its graph. */
  engineThreads: number;
  /** Of a revision whose settings do not say. */
  engines: number;
  /** One clause for a person. */
  why: string;
}

/** As `engine/onnx/session.ts` and the snapshot's `engines` have it: other processors are for the front and other engines. */
const EACH = { engineThreads: 1, engines: 1 } as const;

export async function findProcessors(): Promise<Processors> {
  const [status, groups] = await Promise.all(['status', 'cgroup'].map(file => read(`/proc/self/${file}`)));
  return {
    machine: cpus().length,
    allowed: parseAllowed(status!),
    quota: await smallestQuota(groups!),
    usable: availableParallelism(),
  };
}

/** A load keeps one processor busy. Where Node does not see the quota, a part of a processor counts as one. */
export function chooseProcessorUse({ machine, allowed, quota, usable }: Processors): ProcessorUse {
  const loadsAtOnce = Math.max(1, Math.min(usable, Math.ceil(quota ?? usable)));
  const rest =
    'a load takes one, an engine one thread, and a revision one engine unless its settings say more';
  return { loadsAtOnce, ...EACH, why: `${boundOf({ machine, allowed, quota })}; ${rest}` };
}

/** Which of them is the tightest. */
function boundOf({ machine, allowed, quota }: Omit<Processors, 'usable'>): string {
  if (quota !== null && quota < (allowed ?? machine))
    return `its control group may use ${round(quota)} of ${machine} processors`;
  if (allowed !== null && allowed < machine) return `it may run on ${allowed} of ${machine} processors`;
  return `the machine has ${machine} processors and nothing bounds their use`;
}

/** Of /proc/self/status, as proc(5) describes it: `0-3,8`. */
export function parseAllowed(status: string): number | null {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1];
  if (list === undefined) return null;
  return list.split(',').reduce((count, range) => {
    const [first, last = first] = range.split('-').map(Number);
    return count + last! - first! + 1;
  }, 0);
}

interface QuotaFolder {
  version: 1 | 2;
  folder: string;
}

/** Where the quotas of a process's control groups stand, its own and those above: by its /proc/self/cgroup. */
export function quotaFolders(groups: string): QuotaFolder[] {
  return groups.split('\n').flatMap(line => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    const [version, root] =
      id === '0' ? ([2, '/sys/fs/cgroup'] as const) : ([1, '/sys/fs/cgroup/cpu'] as const);
    if (version === 1 && controllers?.split(',').includes('cpu') !== true) return [];
    return upwards(root, path!).map((folder): QuotaFolder => ({ version, folder }));
  });
}

/** In processors; null: there is none. Of version 2: what cpu.max holds; of version 1: cpu.cfs_quota_us and period. */
export function parseQuota(text: string): number | null {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : null;
}

async function smallestQuota(groups: string): Promise<number | null> {
  const quotas = await Promise.all(
    quotaFolders(groups).map(async ({ version, folder }) => {
      if (version === 2) return parseQuota(await read(`${folder}/cpu.max`));
      const files = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map(file => read(`${folder}/${file}`));
      return parseQuota((await Promise.all(files)).join(' '));
    }),
  );
  const known = quotas.filter(quota => quota !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The folder and all above it, up to `root`. */
function upwards(root: string, path: string): string[] {
  const names = path.split('/').filter(name => name !== '');
  return Array.from({ length: names.length + 1 }, (_, depth) => [root, ...names.slice(0, depth)].join('/'));
}

/** Nothing where it can't be read: no such file, or no such system. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function round(processors: number): string {
  return String(Number(processors.toFixed(2)));
}
