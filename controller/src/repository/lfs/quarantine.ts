import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactDigest } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { diskCodeOf } from './disk-error.ts';
import { moveDurably } from './object-folder.ts';

/** Wrong bytes set aside for a person to look at, under the digest that they are not. */
export interface Quarantine {
  /** Of each digest the newest, of all digests the newest few: what spoils objects must not fill the disk as well. */
  take(file: string, digest: ArtifactDigest): Promise<void>;
  list(): Promise<string[]>;
  /** Gives its room away. */
  empty(): Promise<void>;
}

export interface QuarantineSettings {
  directory: string;
  most: number;
  clock: Pick<Clock, 'now'>;
}

export function quarantine({ directory, most, clock }: QuarantineSettings): Quarantine {
  const list = (): Promise<string[]> => readdir(directory).catch(() => []);
  const remove = (name: string): Promise<void> => rm(join(directory, name), { recursive: true, force: true });

  async function keepNewest(): Promise<void> {
    const found = await Promise.all(
      (await list()).map(async name => ({
        name,
        at: (await stat(join(directory, name)).catch(() => null))?.mtimeMs ?? 0,
      })),
    );
    const surplus = found.sort((a, b) => b.at - a.at).slice(most);
    await Promise.all(surplus.map(({ name }) => remove(name)));
  }

  return {
    take: async (file, digest) => {
      const now = clock.now() / 1000;
      try {
        await utimes(file, now, now);
        await moveDurably(file, join(directory, digest));
      } catch (error) {
        // Two may find the same file spoilt; one of them sets it aside.
        if (diskCodeOf(error) === 'ENOENT') return;
        throw error;
      }
      await keepNewest();
    },
    list,
    empty: async () => {
      await Promise.all((await list()).map(remove));
    },
  };
}
