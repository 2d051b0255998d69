// Plain JavaScript for Node 20, no packages: this is what brings the packages and Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules', '.switchback-lock');

/** Node 24, brought by the `node` package. */
export const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

/** Checks what a person must bring and installs the rest. Ends the process with a sentence when it can't. */
export function setUp() {
  requireNode(20);
  requireGit(2, 38);
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const isReady = () => existsSync(stampFile) && existsSync(node) && readFileSync(stampFile, 'utf8') === lock;
  if (isReady()) return;
  const release = takeTurn();
  try {
    // Somebody in another terminal may have installed meanwhile.
    if (!isReady()) install(lock);
  } finally {
    release();
  }
}

function install(lock) {
  console.error('Installing packages (once, about 30 s) …');
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // The CPU library is inside the package; its install script only wants to fetch GPU parts.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  if (npm.status !== 0) fail('npm ci failed; its words stand above. Mend that and run the command again.');
  writeFileSync(stampFile, lock);
}

/** One installation at a time: two at once would take each other's files away. */
function takeTurn() {
  const file = join(root, '.cache', 'setup.pid');
  mkdirSync(dirname(file), { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAlive(Number(readFileSync(file, 'utf8'))))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    else rmSync(file, { force: true });
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Runs a program of the repository under Node 24 with this terminal; the promise gives its exit code. What Node has
 * compiled is kept, which halves the time to start.
 */
export function run(args, options = {}) {
  const env = { NODE_COMPILE_CACHE: join(root, '.cache', 'code'), ...process.env };
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env, ...options });
  const forward = signal => child.kill(signal);
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  return new Promise(resolve => {
    child.on('exit', (code, signal) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

export function fail(sentence) {
  console.error(`switchback: ${sentence}`);
  process.exit(2);
}

function requireNode(major) {
  if (Number(process.versions.node.split('.')[0]) >= major) return;
  fail(`Node ${major} or newer is needed to start; this is ${process.version}. Install a newer Node.js.`);
}

function requireGit(major, minor) {
  const found = /(\d+)\.(\d+)/.exec(spawnSync('git', ['--version'], { encoding: 'utf8' }).stdout ?? '');
  if (!found) fail('git is not installed or not on PATH. Install git 2.38 or newer.');
  const [, a, b] = found.map(Number);
  if (a > major || (a === major && b >= minor)) return;
  fail(`git ${major}.${minor} or newer is needed (for merge-tree --write-tree); this is ${found[0]}.`);
}
