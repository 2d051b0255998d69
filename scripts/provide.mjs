// System programs that tests use as real parts. As root on Debian they are installed; elsewhere the tests that need
// them say aloud that they were skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian keeps each version's programs in a folder of its own, beside the PATH. */
const DEBIAN_POSTGRES = process.env.SWITCHBACK_POSTGRES_HOME ?? '/usr/lib/postgresql';

/**
 * A program is there if it can be started, from the PATH or from a folder below `home`; where that is not enough, if it
 * ends well with the arguments of `proof`.
 */
const wanted = [
  { program: 'git-lfs', debian: 'git-lfs', why: 'proves our LFS client and server against the real one' },
  {
    program: 'redis-server',
    debian: 'redis-server',
    why: 'proves the shared response cache against the real one',
  },
  {
    program: 'initdb',
    home: DEBIAN_POSTGRES,
    what: 'the PostgreSQL server',
    debian: 'postgresql',
    why: 'proves the shared ledger against the real one',
  },
  { program: 'wrk', debian: 'wrk', why: 'asks servers as fast as they answer, for the benchmark' },
  { program: 'promtool', debian: 'prometheus', why: 'proves that our metrics are what Prometheus reads' },
  {
    program: process.env.PYTHON ?? 'python3',
    proof: ['-c', 'import venv, ensurepip'],
    what: 'python3 with venv and pip',
    debian: 'python3-venv',
    why: 'runs the clients and servers of other projects',
  },
];

export function provide() {
  const missing = wanted.filter(one => !isThere(one));
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (canInstall) {
    const packages = missing.map(({ debian }) => debian);
    console.error(`Installing for the tests: ${packages.join(', ')} …`);
    const apt = args =>
      spawnSync('apt-get', args, {
        stdio: ['ignore', 'ignore', 2],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt(['update', '-qq']);
    apt(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  }
  for (const { program, what = program, debian, why } of missing.filter(one => !isThere(one)))
    console.error(`SKIPPED: ${what} is not installed (${why}). Install your system's package "${debian}".`);
}

function isThere({ program, home, proof }) {
  if (home !== undefined && isBelow(home, program)) return true;
  return proof === undefined
    ? !spawnSync(program, ['--version']).error
    : spawnSync(program, proof).status === 0;
}

function isBelow(home, program) {
  const versions = existsSync(home) ? readdirSync(home) : [];
  return versions.some(version => existsSync(join(home, version, 'bin', program)));
}
