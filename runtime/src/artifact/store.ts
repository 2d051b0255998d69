import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';

type Wanted = Pick<Artifact, 'sha256' | 'size'>;

/** A folder of files named by their hash. A file appears whole or not at all, also through a power cut. */
export interface ArtifactStore {
  /** The path, if the file is there and its bytes are still what its name says; a spoilt one is removed. */
  find(wanted: Wanted): Promise<string | null>;
  /** Writes while hashing. Refuses, and keeps nothing of, bytes that are not the wanted ones. */
  write(wanted: Wanted, bytes: AsyncIterable<Uint8Array>): Promise<string>;
}

const UNFINISHED = '.part';

/** Opens the folder and clears what an earlier life left unfinished. */
export async function openArtifactStore(folder: string): Promise<ArtifactStore> {
  await mkdir(folder, { recursive: true });
  const leftovers = (await readdir(folder)).filter(name => name.endsWith(UNFINISHED));
  await Promise.all(leftovers.map(name => rm(join(folder, name), { force: true })));
  return {
    find: wanted => find(join(folder, wanted.sha256), wanted),
    write: (wanted, bytes) => write(folder, wanted, bytes),
  };
}

async function find(path: string, wanted: Wanted): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (found.size === wanted.size && (await hashOf(path)) === wanted.sha256) return path;
  await rm(path, { force: true });
  return null;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function write(folder: string, wanted: Wanted, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const unfinished = join(folder, `${wanted.sha256}.${randomUUID()}${UNFINISHED}`);
  const path = join(folder, wanted.sha256);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of bytes) {
        size += chunk.byteLength;
        if (size > wanted.size) throw differs(wanted, 'is larger');
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      if (size < wanted.size) throw differs(wanted, `ends after ${size} bytes`);
      if (hash.digest('hex') !== wanted.sha256) throw differs(wanted, 'has another hash');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    return path;
  } finally {
    await rm(unfinished, { force: true });
  }
}

function differs(wanted: Wanted, how: string): SwitchbackError {
  const message = `What was sent for artifact ${wanted.sha256.slice(0, 12)} (${wanted.size} bytes) ${how}; it was thrown away.`;
  return new SwitchbackError('E_ARTIFACT_PULL', message, { details: { sha256: wanted.sha256 } });
}
