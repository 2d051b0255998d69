import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const TIMEOUT_MS = 10_000;
const MANIFESTS = ['environments', 'models'];

/** A clone with files in it, as a person has one. */
export interface WorkTree {
  /** Its top folder. */
  folder: string;
  /** `main` where there is one, else the branch that is checked out. */
  branch: string;
  /** Folder of the model repository within it; empty: its top. */
  root: string;
}

export interface WorkTreeRequest {
  /** For git: as of the person who asks. */
  environment: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** The clone that this folder is in, or null: it is in none, or in a bare repository. */
export async function workTreeAt(folder: string, request: WorkTreeRequest): Promise<WorkTree | null> {
  const top = await ask(folder, ['rev-parse', '--show-toplevel'], request);
  if (top === null) return null;
  const main = await ask(folder, ['rev-parse', '--verify', '--quiet', 'refs/heads/main'], request);
  const current = await ask(folder, ['symbolic-ref', '--short', '--quiet', 'HEAD'], request);
  return { folder: top, branch: main === null ? (current ?? 'main') : 'main', root: rootAt(folder, top) };
}

/** The nearest folder from here upwards that holds manifests. */
function rootAt(folder: string, top: string): string {
  for (let at = resolve(folder); ; at = resolve(at, '..')) {
    if (MANIFESTS.some(name => existsSync(join(at, name)))) return relative(top, at);
    if (at === top || at === resolve(at, '..')) return '';
  }
}

/** Null when git has no answer, also for a folder that is not there. */
async function ask(
  folder: string,
  args: readonly string[],
  { environment, signal }: WorkTreeRequest,
): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', [...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...environment },
      timeout: TIMEOUT_MS,
      maxBuffer: 65_536,
      signal,
    });
    return stdout.trim() || null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
