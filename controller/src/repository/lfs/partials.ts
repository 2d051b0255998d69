import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instant } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../repository.ts';
import { fitToBeShown } from './disk-error.ts';
import { Intake } from './intake.ts';
import { isSame, type Received, type Write } from './object-folder.ts';
import type { Beginning } from './resumable-source.ts';

/** What sends the bytes; told of a beginning only where one is here. */
export type Produce = (write: Write, beginning?: Beginning) => Promise<void>;

/** Objects that are not whole yet, each under its digest and size. A cut transfer goes on here, also after a crash. */
export interface Partials {
  /** The file that holds the object is at `file` once it is whole; see `Received`. Ours alone for this object. */
  receive(
    object: LfsObject,
    produce: Produce,
    signal: AbortSignal,
  ): Promise<Exclude<Received, { kind: 'kept' }> | { kind: 'whole'; file: string }>;
  /** What of the object is here already. */
  bytesOf(object: LfsObject): Promise<number>;
  /** Removes what no transfer will go on with: strays, small, old or too many ones. How many. */
  sweep(now: Instant): Promise<number>;
  /** Removes all that are not under way; the disk is needed for something else. */
  removeIdle(): Promise<void>;
}

/** Less is fetched again sooner than it is read back. */
const WORTH_BYTES = 2 ** 20;
const LONGEST_MS = 24 * 60 * 60_000;
const MOST = 16;
const NAME = /^[0-9a-f]{64}\.\d{1,16}\.part$/;

export function partials(directory: string): Partials {
  const underWay = new Set<string>();
  const nameOf = ({ digest, sizeBytes }: LfsObject): string => `${digest}.${sizeBytes}.part`;
  const remove = (name: string): Promise<void> => rm(join(directory, name), { recursive: true, force: true });

  return {
    receive: async (object, produce, signal) => {
      const name = nameOf(object);
      const file = join(directory, name);
      underWay.add(name);
      try {
        await mkdir(directory, { recursive: true });
        const found = await receiveInto(file, object, produce, signal);
        return isSame(found, object) ? { kind: 'whole', file } : { kind: 'different', found, file };
      } catch (error) {
        if (!(await isWorthKeeping(file, error, signal))) await rm(file, { recursive: true, force: true });
        throw fitToBeShown(error, object);
      } finally {
        underWay.delete(name);
      }
    },
    bytesOf: async object => (await stat(join(directory, nameOf(object))).catch(() => null))?.size ?? 0,
    sweep: async now => {
      const names = await readdir(directory);
      const found = await Promise.all(
        names.map(async name => ({ name, stats: await stat(join(directory, name)).catch(() => null) })),
      );
      const worth = found
        .flatMap(({ name, stats }) =>
          NAME.test(name) && stats?.isFile() && stats.size >= WORTH_BYTES
            ? [{ name, at: stats.mtimeMs }]
            : [],
        )
        .filter(({ at }) => now - at < LONGEST_MS)
        .sort((a, b) => b.at - a.at)
        .slice(0, MOST);
      const kept = new Set(worth.map(({ name }) => name));
      const swept = names.filter(name => !kept.has(name));
      await Promise.all(swept.map(remove));
      return swept.length;
    },
    removeIdle: async () => {
      const names = await readdir(directory).catch(() => []);
      await Promise.all(names.filter(name => !underWay.has(name)).map(remove));
    },
  };
}

async function receiveInto(
  file: string,
  object: LfsObject,
  produce: Produce,
  signal: AbortSignal,
): Promise<LfsObject> {
  await using intake = await Intake.resume(file, object, signal);
  const hadBeginning = intake.bytes > 0;
  const found = await fill(intake, object, produce);
  if (!hadBeginning || isSame(found, object)) return found;
  // The beginning may be what is wrong: once more, as if it had never been here.
  await intake.startOver();
  return await fill(intake, object, produce);
}

async function fill(intake: Intake, { sizeBytes }: LfsObject, produce: Produce): Promise<LfsObject> {
  const bytes = intake.bytes;
  if (bytes === 0) await produce(chunk => intake.write(chunk));
  else if (bytes < sizeBytes) {
    let passBy = bytes;
    const leaveOut = (): void => {
      passBy = 0;
    };
    // A source that knows nothing of beginnings sends it again.
    const write: Write = async chunk => {
      const isNew = chunk.subarray(passBy);
      passBy -= chunk.length - isNew.length;
      if (isNew.length > 0) await intake.write(isNew);
    };
    await produce(write, { bytes, leaveOut });
  }
  return await intake.finish();
}

/** Only a transfer that was cut or given up goes on later; what else went wrong would go wrong again. */
async function isWorthKeeping(file: string, error: unknown, signal: AbortSignal): Promise<boolean> {
  const isCut = signal.aborted || (error instanceof SwitchbackError && error.code === 'E_LFS_UNREACHABLE');
  if (!isCut) return false;
  return ((await stat(file).catch(() => null))?.size ?? 0) >= WORTH_BYTES;
}
