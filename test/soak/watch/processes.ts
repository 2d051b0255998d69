import { readdir, readFile } from 'node:fs/promises';
import type { Processes, SeenProcess } from '../../e2e/processes.fixture.ts';

export type Role = 'up' | 'controller' | 'front' | 'engine' | 'remote' | 'git' | 'other';

export interface Footprint {
  atMs: number;
  residentBytes: number;
  /** Of the resident bytes those that are no file's: pages of files come and go as the system likes. */
  ownBytes: number;
  descriptors: number;
}

/** One process for as long as it held one thing; an engine that was blank is another once it has loaded. */
export interface ProcessLife {
  role: Role;
  name: string;
  pid: number;
  samples: Footprint[];
}

/** In this order: the first that fits the command line. */
const ROLES: readonly [Role, RegExp][] = [
  ['up', /controller\/src\/cli\/main\.ts up /],
  ['controller', /controller\/src\/main\.ts /],
  ['front', /runtime\/src\/main\.ts /],
  ['engine', /runtime\/src\/engine\/onnx\/process\.ts/],
  ['remote', /test\/soak\/remote-process\.ts /],
  ['git', /^(?:\S*\/)?git[ -]/],
];

/** Everything that runs for the soak, looked at again and again. */
export class ProcessWatch {
  readonly #processes: Processes;
  readonly #lives = new Map<string, ProcessLife>();

  constructor(processes: Processes) {
    this.#processes = processes;
  }

  get lives(): ProcessLife[] {
    return [...this.#lives.values()];
  }

  /** @param held what each engine has loaded, by pid */
  async look(held: ReadonlyMap<number, string>): Promise<void> {
    const living = await this.#processes.living();
    const atMs = Date.now();
    for (const each of living) {
      const footprint = await footprintOf(each.pid);
      if (footprint === null) continue;
      const life = this.#life(each, living, held);
      life.samples.push({ atMs, ...footprint });
    }
  }

  #life(each: SeenProcess, living: readonly SeenProcess[], held: ReadonlyMap<number, string>): ProcessLife {
    const role = roleOf(each);
    const name = nameOf(each, role, living, held);
    const key = `${each.pid} ${each.start} ${name}`;
    const life = this.#lives.get(key) ?? { role, name, pid: each.pid, samples: [] };
    this.#lives.set(key, life);
    return life;
  }
}

export function roleOf({ words }: Pick<SeenProcess, 'words'>): Role {
  return ROLES.find(([, mark]) => mark.test(words))?.[0] ?? 'other';
}

function nameOf(
  { pid, parent, words }: SeenProcess,
  role: Role,
  living: readonly SeenProcess[],
  held: ReadonlyMap<number, string>,
): string {
  const environment = (of: string): string => / --environment (\S+)/.exec(of)?.[1] ?? '';
  if (role === 'front') return `front of ${environment(words)}`;
  if (role === 'git' || role === 'other') return words.split(' ').slice(0, 8).join(' ').slice(0, 120);
  if (role !== 'engine') return role;
  const front = living.find(each => each.pid === parent);
  return held.get(pid) ?? `spare of ${environment(front?.words ?? '')}`;
}

/** Null of one that has ended, or where the system does not tell. */
async function footprintOf(pid: number): Promise<Omit<Footprint, 'atMs'> | null> {
  try {
    const [status, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const residentBytes = bytesOf(status, 'VmRSS');
    const ownBytes = bytesOf(status, 'RssAnon');
    return Number.isFinite(residentBytes)
      ? { residentBytes, ownBytes, descriptors: descriptors.length }
      : null;
  } catch {
    return null;
  }
}

function bytesOf(status: string, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}
