import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const PROVIDE = fileURLToPath(new URL('./provide.mjs', import.meta.url));
const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
const WITHOUT_POSTGRES = { 'git-lfs': 'exit 0', 'redis-server': 'exit 0', wrk: 'exit 1', promtool: 'exit 0' };
const THERE = { ...WITHOUT_POSTGRES, initdb: 'exit 0' };

/**
 * On a machine that has these programs alone, each by its text for the shell, and of PostgreSQL's own folder these files;
 * what it said, and what apt was asked for.
 */
async function provideOn(
  programs: Record<string, string>,
  ofPostgres: readonly string[] = [],
): Promise<{ said: string; asked: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-provide-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const asked = join(folder, 'asked.txt');
  for (const [name, text] of Object.entries({ 'apt-get': `echo "$@" >> ${asked}`, ...programs })) {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const home = join(folder, 'postgresql');
  for (const name of ofPostgres) {
    await mkdir(join(home, '15', 'bin'), { recursive: true });
    await writeFile(join(home, '15', 'bin', name), '');
  }
  const script = `(await import(${JSON.stringify(PROVIDE)})).provide()`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: folder, SWITCHBACK_POSTGRES_HOME: home },
    timeout: 30_000,
  });
  expect(status).toBe(0);
  return { said: String(stderr), asked: existsSync(asked) ? await readFile(asked, 'utf8') : '' };
}

describe('what tests need of the system', () => {
  test('is not asked for where it is all there, whatever a program makes of being asked its version', async () => {
    expect(await provideOn({ ...THERE, python3: 'exit 0' })).toEqual({ said: '', asked: '' });
  });

  test('has PostgreSQL where Debian puts it, beside the PATH', async () => {
    const programs = { ...WITHOUT_POSTGRES, python3: 'exit 0' };

    const there = await provideOn(programs, ['initdb', 'postgres']);
    const missing = await provideOn(programs);

    expect(there).toEqual({ said: '', asked: '' });
    expect(missing.said).toContain(
      'SKIPPED: the PostgreSQL server is not installed (proves the shared ledger',
    );
    expect(missing.asked.includes('install -y -qq --no-install-recommends postgresql\n')).toBe(canInstall);
  });

  test.each([
    ['that has no venv', { python3: 'case "$1$2" in *venv*ensurepip*) exit 1;; esac' }],
    ['that is not there', {}],
  ])('holds a Python %s for missing, and what brings it is installed or named', async (_, python) => {
    const { said, asked } = await provideOn({ ...THERE, ...python });

    expect(said).toContain('SKIPPED: python3 with venv and pip is not installed (runs the clients');
    expect(said).toContain('Install your system\'s package "python3-venv".');
    expect(said.match(/SKIPPED/g)).toHaveLength(1);
    expect(asked.includes('install -y -qq --no-install-recommends python3-venv\n')).toBe(canInstall);
  });
});
