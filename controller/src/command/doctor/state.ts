import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { EnvironmentName } from '@switchback-ml/schemas';
import {
  readProcessRecord,
  rememberedEnvironments,
  rememberedReplicas,
} from '../../actuation/local-process/process-record.ts';
import { isAlive } from '../../actuation/local-process/system-process.ts';
import { STATE_FILES } from '../controller/state-directory.ts';
import { type Check, fail, ok, skip, warn } from './check.ts';

const FOR_OTHERS = 0o077;

/** The folder itself, and the secrets in it. */
export async function stateChecks(state: string, uid = process.getuid?.()): Promise<Check[]> {
  const found = await stat(state).catch(() => null);
  if (found === null) return [skip('state directory', `there is none at ${state}; "switchback up" makes it`)];
  if (!found.isDirectory())
    return [fail('state directory', `${state} is no folder`, 'Name another one by --state.')];
  if (uid !== undefined && found.uid !== uid)
    return [
      fail(
        'state directory',
        `${state} belongs to another user (${found.uid})`,
        'Run this as the user who runs the controller.',
      ),
    ];
  const writable = await isWritable(state);
  if (!writable)
    return [
      fail('state directory', `${state} can not be written`, `chmod u+rwx ${state}, and look at the disk.`),
    ];
  const isOpen = (found.mode & FOR_OTHERS) !== 0;
  return [
    isOpen
      ? warn('state directory', `${state} can be looked into by other users`, `chmod 700 ${state}`)
      : ok('state directory', `${state} is yours alone`),
    await secretsCheck(state),
  ];
}

async function isWritable(state: string): Promise<boolean> {
  try {
    await rm(await mkdtemp(join(state, '.doctor-')), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** A token or a key that others can read lets them do what its holder may. */
async function secretsCheck(state: string): Promise<Check> {
  const keys = await readdir(join(state, STATE_FILES.keys)).catch(() => []);
  const files = [
    STATE_FILES.operatorToken,
    STATE_FILES.runtimeToken,
    ...keys.map(name => join(STATE_FILES.keys, name)),
  ];
  const open: string[] = [];
  let count = 0;
  for (const name of files) {
    const found = await stat(join(state, name)).catch(() => null);
    if (found === null) continue;
    count += 1;
    if ((found.mode & FOR_OTHERS) !== 0) open.push(join(state, name));
  }
  if (open.length > 0)
    return fail(
      'secrets',
      `other users may read ${open.join(', ')}`,
      `chmod 600 ${open.join(' ')}; if others use this machine, remove the files and start anew: new ones are made.`,
    );
  return count === 0 ? skip('secrets', 'there are none yet') : ok('secrets', `${count} files, for you alone`);
}

/** Ports that are remembered, and would be wanted again, are free or in the hands of their owner. */
export async function portChecks(state: string, isControllerThere: boolean): Promise<Check[]> {
  const wanted: { of: string; port: number; isTaken: boolean }[] = [];
  const own = Number(readText(join(state, 'port')));
  if (own > 0 && !isControllerThere)
    wanted.push({ of: 'the controller', port: own, isTaken: !(await isFree(own)) });
  const runtimes = join(state, STATE_FILES.runtimes);
  for (const environment of rememberedEnvironments(runtimes)) {
    const port = await idlePort(runtimes, environment);
    if (port !== null) wanted.push({ of: environment, port, isTaken: !(await isFree(port)) });
  }
  const taken = wanted.filter(({ isTaken }) => isTaken);
  if (taken.length === 0)
    return wanted.length === 0 ? [] : [ok('ports', `${wanted.map(({ port }) => port).join(', ')} are free`)];
  return taken.map(({ of, port }) =>
    warn(
      'ports',
      `${port}, where ${of} was, is taken by another program; ${of} will move to another one`,
      `To keep the address, stop what listens on ${port} before "switchback up".`,
    ),
  );
}

/** Null while any of the runtimes that share it lives, or none was ever there. */
async function idlePort(runtimes: string, environment: EnvironmentName): Promise<number | null> {
  const ids = rememberedReplicas(runtimes).filter(each => each.environment === environment);
  let idle: number | null = null;
  for (const { replica } of ids) {
    const record = readProcessRecord(runtimes, environment, replica);
    const identity = record?.process?.identity;
    if (identity && (await isAlive(identity))) return null;
    idle ??= record?.port ?? null;
  }
  return idle;
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
