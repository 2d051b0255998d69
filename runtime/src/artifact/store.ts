import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artifact, ArtifactDigest } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';

type Wanted = Pick<Artifact, 'sha256' | 'size'>;

/** A folder of files named by their hash. A file appears whole or not at all, also through a power cut. */
export interface ArtifactStore {
  /** The path, if the file is there and its bytes are still what its name says; a spoilt one is removed. */
  find(wanted: Wanted): Promise<string | null>;
  /** Writes while hashing. Refuses, and keeps nothing of, bytes that are not the wanted ones. */
  write(wanted: Wanted, bytes: AsyncIterable<Uint8Array>): Promise<string>;
  /** See `Artifacts`. Before it is called the first time, nothing is removed. */
  keepOnly(needed: ReadonlySet<ArtifactDigest>): Promise<void>;
}

export interface ArtifactStoreSettings {
  folder: string;
  clock: Pick<Clock, 'now'>;
  /** Beyond it files that nobody needs go, the longest unused first; needed ones never. */
  budgetBytes?: number;
  /** Of the disk, left free for everybody else on it. */
  reserveBytes?: number;
}

interface Kept {
  digest: ArtifactDigest;
  size: number;
  usedAt: number;
}

const UNFINISHED = '.part';
const BUDGET = 16 * 2 ** 30;
const RESERVE = 64 * 2 ** 20;
/** Whoever was given a path loads it soon. */
const IN_USE_MS = 10 * 60_000;

/** Opens the folder and clears what an earlier life left unfinished. */
export async function openArtifactStore(settings: ArtifactStoreSettings): Promise<ArtifactStore> {
  const { folder } = settings;
  await mkdir(folder, { recursive: true });
  const leftovers = (await readdir(folder)).filter(name => name.endsWith(UNFINISHED));
  await Promise.all(leftovers.map(name => rm(join(folder, name), { force: true })));
  return new Store(settings);
}

class Store implements ArtifactStore {
  readonly #folder: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #budgetBytes: number;
  readonly #reserveBytes: number;
  #needed: ReadonlySet<ArtifactDigest> | null = null;

  constructor({ folder, clock, budgetBytes = BUDGET, reserveBytes = RESERVE }: ArtifactStoreSettings) {
    this.#folder = folder;
    this.#clock = clock;
    this.#budgetBytes = budgetBytes;
    this.#reserveBytes = reserveBytes;
  }

  async find(wanted: Wanted): Promise<string | null> {
    const path = join(this.#folder, wanted.sha256);
    const found = await lstat(path).catch(() => null);
    if (found === null) return null;
    if (isOurs(found) && found.size === wanted.size && (await hashOf(path)) === wanted.sha256) {
      await this.#use(path);
      return path;
    }
    await rm(path, { recursive: true, force: true });
    return null;
  }

  async write(wanted: Wanted, bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const unfinished = join(this.#folder, `${wanted.sha256}.${randomUUID()}${UNFINISHED}`);
    const path = join(this.#folder, wanted.sha256);
    try {
      await this.#makeRoom(wanted);
      await writeHashed(unfinished, wanted, bytes);
      await rename(unfinished, path);
      await syncFolder(this.#folder);
      await this.#use(path);
      return path;
    } catch (error) {
      throw fitToBeShown(error, wanted);
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  async keepOnly(needed: ReadonlySet<ArtifactDigest>): Promise<void> {
    this.#needed = needed;
    const total = (await this.#list()).reduce((sum, { size }) => sum + size, 0);
    await this.#free(total - this.#budgetBytes);
  }

  /** Keeps a reserve free, at the cost of what nobody needs. */
  async #makeRoom(wanted: Wanted): Promise<void> {
    const missing = wanted.size + this.#reserveBytes - (await freeBytes(this.#folder));
    if (missing <= 0) return;
    await this.#free(missing);
    if (wanted.size + this.#reserveBytes > (await freeBytes(this.#folder))) throw diskFull(wanted);
  }

  async #free(bytes: number): Promise<void> {
    const needed = this.#needed;
    if (needed === null || bytes <= 0) return;
    const now = this.#clock.now();
    const removable = (await this.#list())
      .filter(({ digest, usedAt }) => !needed.has(digest) && Math.abs(now - usedAt) > IN_USE_MS)
      .sort((a, b) => a.usedAt - b.usedAt);
    let left = bytes;
    for (const { digest, size } of removable) {
      if (left <= 0) return;
      await rm(join(this.#folder, digest), { force: true });
      left -= size;
    }
  }

  async #list(): Promise<Kept[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const kept = names.map(async name => {
      const digest = ArtifactDigest.safeParse(name);
      const found = digest.success ? await lstat(join(this.#folder, name)).catch(() => null) : null;
      return digest.success && found
        ? [{ digest: digest.data, size: found.size, usedAt: found.mtimeMs }]
        : [];
    });
    return (await Promise.all(kept)).flat();
  }

  /** A file's time of change says when it was last asked for, over restarts too. */
  async #use(path: string): Promise<void> {
    const now = this.#clock.now() / 1000;
    await utimes(path, now, now).catch(() => {});
  }
}

/** A link would be somebody else's file, to be changed behind our back. */
function isOurs(found: Stats): boolean {
  return found.isFile() && found.nlink === 1;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function writeHashed(
  unfinished: string,
  wanted: Wanted,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  await using file = await open(unfinished, 'wx', 0o600);
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
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function differs(wanted: Wanted, how: string): SwitchbackError {
  const message = `What was sent for artifact ${wanted.sha256.slice(0, 12)} (${wanted.size} bytes) ${how}; it was thrown away.`;
  return new SwitchbackError('E_ARTIFACT_PULL', message, { details: { sha256: wanted.sha256 } });
}

/** A full disk is named; a path of this machine is not. */
function fitToBeShown(error: unknown, wanted: Wanted): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const { code } = error;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return diskFull(wanted, error);
  const message = `Artifact ${wanted.sha256.slice(0, 12)} can not be kept: the disk said ${String(code)}. It is tried again.`;
  return new SwitchbackError('E_ARTIFACT_PULL', message, {
    cause: error,
    details: { sha256: wanted.sha256, disk: code },
  });
}

function diskFull({ sha256, size }: Wanted, cause?: unknown): SwitchbackError {
  const message = `The disk has no room for the ${size} bytes of artifact ${sha256.slice(0, 12)}. What serves goes on serving. Free some space; it is tried again.`;
  return new SwitchbackError('E_ARTIFACT_PULL', message, { cause, details: { sha256, disk: 'ENOSPC' } });
}
