import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** More than the room that is left free for others, by far enough for a clone and a few small models. */
const SIZE = '256m';

/** A file system of its own in memory; only whom the system lets mount may have one. */
export async function mountSmallDisk(directory: string): Promise<AsyncDisposable> {
  await mkdir(directory, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'switchback-faults', directory]);
  return { [Symbol.asyncDispose]: async () => void (await run('umount', ['--lazy', directory])) };
}

/** Why there can't be one here; null: there can. */
export async function whyNoSmallDisk(): Promise<string | null> {
  const directory = await mkdtemp(join(tmpdir(), 'switchback-mount-'));
  try {
    await using _disk = await mountSmallDisk(directory);
    return null;
  } catch {
    return 'this account may not mount a file system';
  } finally {
    await rmdir(directory);
  }
}
