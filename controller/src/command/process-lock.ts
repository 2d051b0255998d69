import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive } from '../actuation/local-process/system-process.ts';
import { SwitchbackError } from '../error.ts';

const Holder = z.object({ pid: z.int().positive(), startTime: z.string() });
export type Holder = z.infer<typeof Holder>;

const MOST_ATTEMPTS = 5;

export type Taken = { kind: 'taken'; lock: AsyncDisposable } | { kind: 'held'; by: Holder };

/**
 * A lock that dies with its holder: a file with pid and start time, since pids come again. One whose holder is gone
 * is taken over.
 */
export async function takeProcessLock(file: string): Promise<Taken> {
  const self = await identityOf(process.pid);
  if (self === null) throw new SwitchbackError('E_INTERNAL', 'The system does not know this process.');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    if (await make(file, self)) return { kind: 'taken', lock: release(file, self) };
    const by = await readHolder(file);
    if (by !== null && (await isAlive(by))) return { kind: 'held', by };
    await putAside(file);
  }
  throw new SwitchbackError('E_CONFLICT', `${file} is taken and removed again by others. Try again.`);
}

/** The file appears with its content or not at all; false when another has made it. */
async function make(file: string, self: Holder): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify(self), { mode: 0o600, flag: 'wx' });
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes a dead holder's file; one that a living process has made since is put back. */
async function putAside(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    const by = await readHolder(aside);
    if (by !== null && (await isAlive(by))) await link(aside, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Null when there is none, or none that was written by this program. */
export async function readHolder(file: string): Promise<Holder | null> {
  try {
    return Holder.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

function release(file: string, self: Holder): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const by = await readHolder(file);
      if (by?.pid === self.pid && by.startTime === self.startTime) await rm(file, { force: true });
    },
  };
}
