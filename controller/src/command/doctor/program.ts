import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const TIMEOUT_MS = 30_000;
const MOST_OUTPUT_BYTES = 256 * 1024;

export interface Said {
  /** Null: it could not be started, or was ended. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, within bounds; how it ended is the answer. */
export function ask(
  command: readonly string[],
  { environment = {}, signal }: { environment?: Readonly<Record<string, string>>; signal: AbortSignal },
): Promise<Said> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      {
        env: { PATH: process.env['PATH'], LC_ALL: 'C', ...environment, GIT_TERMINAL_PROMPT: '0' },
        timeout: TIMEOUT_MS,
        maxBuffer: MOST_OUTPUT_BYTES,
        killSignal: 'SIGKILL',
        signal,
      },
      (error, stdout, stderr) => {
        if (signal.aborted) return reject(signal.reason);
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

export async function isOnPath(program: string, path = process.env['PATH'] ?? ''): Promise<boolean> {
  for (const folder of path.split(delimiter).filter(folder => folder.startsWith('/'))) {
    const isThere = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
