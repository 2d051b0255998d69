import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from './child.ts';
import type { Ground } from './subject.ts';

const INSTALL_MS = 20 * 60_000;

type Installing = Pick<Ground, 'cache' | 'tell' | 'signal'>;

/**
 * A private Python with exactly these requirements, made once and kept. Resolves to the folder of its programs;
 * rejects with what pip said where they can't be had.
 */
export async function providePython(name: string, requirements: string, ground: Installing): Promise<string> {
  const folder = join(ground.cache, name);
  const programs = join(folder, 'venv', 'bin');
  const stamp = join(folder, 'installed.txt');
  const wanted = await readFile(requirements, 'utf8');
  if ((await readFile(stamp, 'utf8').catch(() => null)) === wanted) return programs;
  ground.tell(`${name}: installing its packages (once)`);
  await mkdir(folder, { recursive: true });
  await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', '--clear', join(folder, 'venv')], ground);
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
  await run(join(programs, 'pip'), pip, ground);
  // Written last, so that an interrupted install is started afresh.
  await writeFile(stamp, wanted);
  return programs;
}

async function run(program: string, args: readonly string[], { signal }: Installing): Promise<void> {
  let code: number | null = null;
  await using child = await Child.start({ program, args, onExit: ended => (code = ended) });
  await child.until(async () => code, 'its packages', { boundMs: INSTALL_MS, signal });
  if (code === 0) return;
  const said = child.lastWords.split('\n').filter(line => line.startsWith('ERROR:'));
  throw new Error(`its packages could not be installed: ${said.at(-1) ?? child.lastWords.slice(-300)}`);
}
