import { execFile } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findPrecedence, type Precedence } from './precedence.ts';

const run = promisify(execFile);

/** What this machine offers to keep an engine process within bounds, and behind others. */
export interface Confinement {
  /** Put before the program, so that the kernel kills the engine with its parent even while a run blocks it. */
  launcher: readonly string[];
  /**
   * Bounds the data memory of a running blank engine to what it uses now and `bytes` more. Null where the machine
   * can't: the caller says so aloud.
   */
  limitMemory: ((pid: number, bytes: number) => Promise<void>) | null;
  precedence: Precedence;
}

/** Looks once for the programs it needs; both belong to util-linux. */
export async function findConfinement(path = process.env['PATH'] ?? ''): Promise<Confinement> {
  const precedence = findPrecedence();
  if (process.platform !== 'linux') return { launcher: [], limitMemory: null, precedence };
  const [setpriv, prlimit] = await Promise.all([find('setpriv', path), find('prlimit', path)]);
  return {
    launcher: setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--'],
    limitMemory: prlimit === null ? null : (pid, bytes) => limitMemory(prlimit, pid, bytes),
    precedence,
  };
}

async function limitMemory(prlimit: string, pid: number, bytes: number): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const blankKib = Number(/^VmData:\s*(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(blankKib)) throw new Error(`the memory in use by process ${pid} is not known`);
  const limit = blankKib * 1024 + bytes;
  await run(prlimit, ['--pid', String(pid), `--data=${limit}:${limit}`], { timeout: 5000 });
}

async function find(program: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter).filter(folder => folder.startsWith('/'))) {
    const file = join(folder, program);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return null;
}
