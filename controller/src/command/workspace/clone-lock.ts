import { join } from 'node:path';
import { takeProcessLock } from '../process-lock.ts';

export interface LockedClone extends AsyncDisposable {
  directory: string;
}

/** The kept clone of a person, for one command at a time; null when another command has it. */
export async function lockClone(cache: string): Promise<LockedClone | null> {
  const taken = await takeProcessLock(join(cache, 'lock.json'));
  if (taken.kind === 'held') return null;
  return {
    directory: join(cache, 'clone.git'),
    [Symbol.asyncDispose]: () => taken.lock[Symbol.asyncDispose](),
  };
}
