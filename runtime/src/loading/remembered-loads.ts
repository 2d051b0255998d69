import { readFileSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../error.ts';
import type { Log } from '../log.ts';
import { BUILD } from '../telemetry/build.ts';

/** Far more than ten thousand revisions. */
const LARGEST_BYTES = 8 * 2 ** 20;

/** What it took to have a revision ready here. */
export interface Load {
  /** Of one engine, warm. */
  bytes: number;
  ms: number;
}

/**
 * Which revisions were ready on this machine under this very build, with the bytes that their digest names. After a
 * restart they count as ready before they are loaded again, where there is no memory to load all: each still has to give
 * its golden answers when it wakes the first time, so this is no proof that is relied on, only a reason to expect it.
 */
export interface RememberedLoads {
  find(key: string): Load | undefined;
  remember(key: string, load: Load): void;
  forget(key: string): void;
  /** Keeps what changed since the last time. Never rejects: without it the next start is slower, and no more. */
  keep(): Promise<void>;
}

export function rememberedLoads(stateDir: string, log: Log): RememberedLoads {
  const path = join(stateDir, 'loads.json');
  const loads = read(path);
  let isKept = true;
  return {
    find: key => loads.get(key),
    remember(key, load) {
      isKept = false;
      loads.set(key, load);
    },
    forget(key) {
      if (loads.delete(key)) isKept = false;
    },
    async keep() {
      if (isKept) return;
      isKept = true;
      try {
        await write(path, JSON.stringify({ machine: machine(), loads: [...loads] }));
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'what was ready could not be kept, a restart has to load all');
      }
    },
  };
}

/** Nothing of another machine or build, and nothing that is not whole. */
function read(path: string): Map<string, Load> {
  try {
    if (statSync(path).size > LARGEST_BYTES) return new Map();
    const kept = JSON.parse(readFileSync(path, 'utf8')) as { machine?: unknown; loads?: unknown };
    if (kept.machine !== machine() || !Array.isArray(kept.loads)) return new Map();
    return new Map(kept.loads.filter(isLoad));
  } catch {
    return new Map();
  }
}

function isLoad(entry: unknown): entry is [string, Load] {
  if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false;
  const load = entry[1] as Partial<Load> | null;
  return [load?.bytes, load?.ms].every(value => Number.isFinite(value) && Number(value) >= 0);
}

async function write(path: string, text: string): Promise<void> {
  const unfinished = `${path}.part`;
  try {
    {
      await using file = await open(unfinished, 'w', 0o600);
      await file.writeFile(text);
      await file.sync();
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function machine(): string {
  const { arch, platform } = process;
  return [BUILD.version, BUILD.node, platform, arch, cpus()[0]?.model ?? ''].join(' ');
}
