import { type FileHandle, rm } from 'node:fs/promises';
import type { ArtifactDigest, Instant } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { LfsObject } from '../repository.ts';
import { hashFile, type ObjectFolder, objectFolder } from './object-folder.ts';
import { ObjectIndex } from './object-index.ts';

export interface CachedObjectsSettings {
  objects: string;
  budgetBytes: number;
  /** Never removed; null while they are not known, and then nothing is. */
  pins: () => readonly LfsObject[] | null;
  clock: Clock;
  log: Pick<Log, 'info' | 'warn'> | undefined;
}

/** Bytes that were found right, in a file that is still the same one. */
interface Verified {
  at: Instant;
  sizeBytes: number;
  changedMs: number;
}

/** Bytes rot without a trace in the file's times; asked for often, a file is still not read each time. */
const VERIFIED_FOR_MS = 10 * 60_000;
/** Whoever was given a path opens it soon. */
const IN_USE_MS = 60_000;
/** A use is written down so seldom: it decides what is removed first, and days count there. */
const USE_PRECISION_MS = 60 * 60_000;

/** The whole objects of a store: found, verified, and removed when they are too many. */
export class CachedObjects {
  readonly #settings: CachedObjectsSettings;
  readonly #folder: ObjectFolder;
  readonly #index: ObjectIndex;
  readonly #verified = new Map<ArtifactDigest, Verified>();
  #isOverTold = false;

  private constructor(settings: CachedObjectsSettings, index: ObjectIndex) {
    this.#settings = settings;
    this.#folder = objectFolder({ objects: settings.objects, incoming: settings.objects });
    this.#index = index;
  }

  static async open(settings: CachedObjectsSettings): Promise<CachedObjects> {
    return new CachedObjects(settings, await ObjectIndex.read(settings.objects));
  }

  get totalBytes(): number {
    return this.#index.totalBytes;
  }

  digests(): ArtifactDigest[] {
    return this.#index.digests();
  }

  path(digest: ArtifactDigest): string {
    return this.#folder.path(digest);
  }

  async has(digest: ArtifactDigest): Promise<boolean> {
    return (await this.#withFile(digest, async () => true)) ?? false;
  }

  /** What stands under the digest, and that it was asked for; read through unless that was done just now. */
  identify(object: LfsObject, signal: AbortSignal): Promise<LfsObject | null> {
    return this.#withFile(object.digest, async (handle, sizeBytes) => {
      const isKnown = sizeBytes === object.sizeBytes && (await this.#isVerified(object.digest, handle));
      const found = isKnown ? object : await hashFile(handle, signal);
      if (found.digest !== object.digest) return found;
      const hasChangedTimes = await this.#use(found, handle);
      if (!isKnown || hasChangedTimes) await this.#remember(object.digest, handle);
      return found;
    });
  }

  /** The same by reading in any case, as slowly as `pace` says, and without being a use. */
  read(
    digest: ArtifactDigest,
    pace: (bytes: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<LfsObject | null> {
    return this.#withFile(digest, async handle => {
      const found = await hashFile(handle, signal, pace);
      if (found.digest === digest) await this.#remember(digest, handle);
      return found;
    });
  }

  /** Says that a verified file is in its place now. Its path. */
  async add(object: LfsObject): Promise<string> {
    await this.#withFile(object.digest, async handle => {
      await this.#use(object, handle);
      await this.#remember(object.digest, handle);
    });
    return this.path(object.digest);
  }

  forget(digest: ArtifactDigest): void {
    this.#index.delete(digest);
    this.#verified.delete(digest);
  }

  /** Removes what is over the budget once `coming` bytes more are here. */
  async keepToBudget(coming: number): Promise<void> {
    const { budgetBytes, pins, log } = this.#settings;
    const over = this.totalBytes + coming - budgetBytes;
    await this.free(over);
    const isOver = this.totalBytes + coming > budgetBytes && pins() !== null;
    if (isOver && !this.#isOverTold)
      log?.warn(
        { totalBytes: this.totalBytes + coming, budgetBytes },
        'what is needed is larger than the budget for artifacts, which is exceeded',
      );
    this.#isOverTold = isOver;
  }

  /** Removes so many bytes, if that many may go: the least recently used first. */
  async free(bytes: number): Promise<void> {
    let left = bytes;
    for (const { digest, sizeBytes } of left > 0 ? this.#removable() : []) {
      if (left <= 0) return;
      this.forget(digest);
      await rm(this.path(digest), { force: true });
      left -= sizeBytes;
      this.#settings.log?.info({ digest, sizeBytes }, 'removed an artifact that nothing needs, for room');
    }
  }

  /** Pinned ones stay whatever it costs, and so does what somebody has just been given. */
  #removable(): LfsObject[] {
    const { pins, clock } = this.#settings;
    const pinned = pins();
    if (pinned === null) return [];
    const kept = new Set(pinned.map(({ digest }) => digest));
    const now = clock.now();
    return this.#index
      .leastRecentlyUsed()
      .filter(({ digest, usedAt }) => !kept.has(digest) && Math.abs(now - usedAt) > IN_USE_MS);
  }

  async #isVerified(digest: ArtifactDigest, handle: FileHandle): Promise<boolean> {
    const known = this.#verified.get(digest);
    if (known === undefined || this.#settings.clock.now() - known.at > VERIFIED_FOR_MS) return false;
    const { size, ctimeMs } = await handle.stat();
    return size === known.sizeBytes && ctimeMs === known.changedMs;
  }

  async #remember(digest: ArtifactDigest, handle: FileHandle): Promise<void> {
    const { size, ctimeMs } = await handle.stat();
    this.#verified.set(digest, { at: this.#settings.clock.now(), sizeBytes: size, changedMs: ctimeMs });
  }

  /** Whether the file's times were changed by it. */
  async #use({ digest, sizeBytes }: LfsObject, handle: FileHandle): Promise<boolean> {
    const now = this.#settings.clock.now();
    const known = this.#index.get(digest);
    const isDue = known === undefined || Math.abs(now - known.writtenAt) > USE_PRECISION_MS;
    this.#index.put({ digest, sizeBytes, usedAt: now, writtenAt: isDue ? now : known.writtenAt });
    if (isDue) await handle.utimes(now / 1000, now / 1000);
    return isDue;
  }

  async #withFile<Value>(
    digest: ArtifactDigest,
    act: (handle: FileHandle, sizeBytes: number) => Promise<Value>,
  ): Promise<Value | null> {
    const found = await this.#folder.open(digest);
    if (found === null) {
      this.forget(digest);
      return null;
    }
    await using handle = found.handle;
    return await act(handle, found.sizeBytes);
  }
}
