import { spawn } from 'node:child_process';
import { type Environment, settingsIn } from './clone.ts';

const TIMEOUT_MS = 30_000;

interface Asking {
  /** Of the person: attributes may stand in a file of theirs, too. */
  environment: Environment;
  signal: AbortSignal;
}

/** Those of the paths that git would send through LFS; none outside a git repository. */
export async function filesForLfs(
  folder: string,
  paths: readonly string[],
  asking: Asking,
): Promise<string[]> {
  if (paths.length === 0) return [];
  const output = await checkAttributes(folder, paths, asking);
  // Triples, each part ended by NUL: path, attribute, value.
  const parts = output.split('\0');
  return paths.filter((_, index) => parts[index * 3 + 2] === 'lfs');
}

/** Empty when git refuses, as it does outside a repository. */
function checkAttributes(
  folder: string,
  paths: readonly string[],
  { environment, signal }: Asking,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['check-attr', '-z', '--stdin', 'filter'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...settingsIn(environment) },
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', () => {});
    child.on('close', code => {
      if (signal.aborted) reject(signal.reason);
      else resolve(code === 0 ? Buffer.concat(output).toString('utf8') : '');
    });
    child.stdin.on('error', () => {});
    child.stdin.end(paths.map(path => `${path}\0`).join(''));
  });
}
