import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactDigest, Instant } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { Log } from '../../log.ts';
import type { LfsObject } from '../repository.ts';
import { CachedObjects } from './cached-objects.ts';
import { fitToBeShown } from './disk-error.ts';
import { type Claim, type DiskRoom, diskRoom } from './disk-room.ts';
import { isSame, moveDurably, type Write } from './object-folder.ts';
import { type Partials, partials } from './partials.ts';
import { pool } from './pool.ts';
import { type Quarantine, quarantine } from './quarantine.ts';
import type { Beginning, ResumableSource } from './resumable-source.ts';
import { type Checked, type Pace, Scrubber, type ScrubReport } from './scrubber.ts';
import { sharedWork } from './shared-work.ts';
import { type OnProgress, throttledProgress } from './transfer-progress.ts';

/** Artifacts by digest on disk: whole, verified, and fetched once however many ask. */
export interface ArtifactStore extends AsyncDisposable {
  /**
   * The file that holds the object; waits for the source when it is not here yet. Throws E_LFS_UNREACHABLE (try
   * again later), E_LFS_OBJECT, E_DISK_FULL, or E_LFS_DIGEST when other bytes came; those are kept in `quarantine/`.
   */
  ensure(object: LfsObject, signal: AbortSignal): Promise<string>;
  /** Whether a file is here under this digest; `ensure` verifies it before it is used. */
  has(digest: ArtifactDigest): Promise<boolean>;
  /** Reads everything through now rather than when it is due. */
  scrub(signal: AbortSignal): Promise<ScrubReport>;
  inspect(): Promise<StoreReport>;
}

export interface StoreReport {
  objects: number;
  totalBytes: number;
  budgetBytes: number;
  /** Digests under which wrong bytes were set aside. */
  quarantined: readonly string[];
  /** End of the last reading through. */
  scrubbedAt: Instant | null;
}

export interface ArtifactStoreSettings {
  /** Ours alone: one process writes here. */
  directory: string;
  source: ResumableSource;
  /**
   * What is desired, serving, last good or part of an open operation: never removed for room, and brought back when it
   * is missing. Null while that is not known yet: then nothing is removed.
   */
  pins?: () => readonly LfsObject[] | null;
  /** Beyond it the least recently used objects go, pinned ones never. */
  budgetBytes?: number;
  /** Larger objects are refused before anything is asked for. */
  limitBytes?: number;
  /** Of the disk, left free for everybody else on it. */
  reserveBytes?: number;
  scrub?: { everyMs?: number; bytesPerSecond?: number };
  onProgress?: OnProgress;
  clock?: Clock;
  log?: Pick<Log, 'info' | 'warn' | 'error'>;
}

const LARGEST_OBJECT = 16 * 2 ** 30;
const BUDGET = 64 * 2 ** 30;
const RESERVE = 128 * 2 ** 20;
const MOST_QUARANTINED = 8;
/** As many as one question to an LFS server takes; it decides itself how many bytes come side by side. */
const FETCHES_AT_ONCE = 100;
const SCRUB = { everyMs: 24 * 60 * 60_000, bytesPerSecond: 8 * 2 ** 20 };

/** Opens the store; what a killed process left half written is removed, unless it can be gone on with. */
export async function artifactStore(settings: ArtifactStoreSettings): Promise<ArtifactStore> {
  const { directory, pins = () => null, clock = systemClock, budgetBytes = BUDGET, log } = settings;
  const incoming = join(directory, 'incoming');
  await mkdir(incoming, { recursive: true });
  const arriving = partials(incoming);
  const swept = await arriving.sweep(clock.now());
  if (swept > 0) log?.warn({ swept }, 'removed artifacts that were left half written');

  const objects = join(directory, 'objects');
  const cached = await CachedObjects.open({ objects, budgetBytes, pins, clock, log });
  const aside = quarantine({ directory: join(directory, 'quarantine'), most: MOST_QUARANTINED, clock });
  return new Store({ ...settings, pins, clock, budgetBytes }, { arriving, cached, aside });
}

interface Places {
  arriving: Partials;
  cached: CachedObjects;
  aside: Quarantine;
}

type Opened = ArtifactStoreSettings & Required<Pick<ArtifactStoreSettings, 'pins' | 'clock' | 'budgetBytes'>>;

class Store implements ArtifactStore {
  readonly #settings: Opened;
  readonly #places: Places;
  readonly #room: DiskRoom;
  readonly #scrubber: Scrubber;
  readonly #onProgress: OnProgress;
  readonly #shared = sharedWork<string>('The artifact store is closed.');
  readonly #fetches = pool(FETCHES_AT_ONCE);

  constructor(settings: Opened, places: Places) {
    const { directory, reserveBytes = RESERVE, onProgress = () => {}, clock } = settings;
    this.#settings = settings;
    this.#places = places;
    this.#onProgress = throttledProgress(onProgress, clock);
    this.#room = diskRoom({
      directory: join(directory, 'incoming'),
      reserveBytes,
      makeRoom: bytes => this.#makeRoom(bytes),
    });
    this.#scrubber = new Scrubber({
      ...SCRUB,
      ...settings.scrub,
      file: join(directory, 'scrub.json'),
      digests: () => places.cached.digests(),
      check: (digest, pace, signal) => this.#check(digest, pace, signal),
      complete: signal => this.#complete(signal),
      clock,
      log: settings.log,
    });
  }

  ensure(object: LfsObject, signal: AbortSignal): Promise<string> {
    const key = `${object.digest}/${object.sizeBytes}`;
    return this.#shared.run(key, until => this.#ensure(object, until), signal);
  }

  has(digest: ArtifactDigest): Promise<boolean> {
    return this.#places.cached.has(digest);
  }

  scrub(signal: AbortSignal): Promise<ScrubReport> {
    return this.#scrubber.scrub(signal);
  }

  async inspect(): Promise<StoreReport> {
    const { cached, aside } = this.#places;
    return {
      objects: cached.digests().length,
      totalBytes: cached.totalBytes,
      budgetBytes: this.#settings.budgetBytes,
      quarantined: await aside.list(),
      scrubbedAt: this.#scrubber.finishedAt,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scrubber[Symbol.asyncDispose]();
    await this.#shared.close();
  }

  async #ensure(object: LfsObject, signal: AbortSignal): Promise<string> {
    const { cached } = this.#places;
    try {
      const found = await cached.identify(object, signal);
      if (found !== null && isSame(found, object)) return cached.path(object.digest);
      if (found?.digest === object.digest) throw different(object, found);
      if (found !== null) await this.#setAside(cached.path(object.digest), object.digest, found);
      return await this.#fetch(object, signal);
    } catch (error) {
      const shown = fitToBeShown(error, object);
      if (shown instanceof SwitchbackError && shown.code === 'E_DISK_FULL')
        this.#settings.log?.error({ ...object }, 'the disk has no room for an artifact');
      throw shown;
    }
  }

  async #fetch(object: LfsObject, signal: AbortSignal): Promise<string> {
    const { limitBytes = LARGEST_OBJECT } = this.#settings;
    if (object.sizeBytes > limitBytes) throw tooLarge(object, limitBytes);
    await this.#places.cached.keepToBudget(object.sizeBytes);
    return this.#fetches.run(() => this.#receive(object, signal), signal);
  }

  async #receive(object: LfsObject, signal: AbortSignal): Promise<string> {
    const { arriving, cached } = this.#places;
    const missingBytes = Math.max(0, object.sizeBytes - (await arriving.bytesOf(object)));
    using claim = await this.#room.claim(object, missingBytes);
    const received = await arriving.receive(
      object,
      (write, beginning) => this.#download({ object, write, claim, signal }, beginning),
      signal,
    );
    if (received.kind === 'different') {
      await this.#setAside(received.file, object.digest, received.found);
      throw different(object, received.found);
    }
    await moveDurably(received.file, cached.path(object.digest));
    return cached.add(object);
  }

  async #download({ object, write, claim, signal }: Download, beginning?: Beginning): Promise<void> {
    const { digest, sizeBytes } = object;
    let bytes = 0;
    const counted: Write = async chunk => {
      await write(chunk);
      bytes += chunk.length;
      this.#onProgress({ operation: 'download', digest, bytes, totalBytes: sizeBytes });
      await claim.written(chunk.length);
    };
    const leaveOut = (): void => {
      bytes = beginning?.bytes ?? 0;
      beginning?.leaveOut();
    };
    const { source } = this.#settings;
    await source.download(object, counted, signal, beginning && { bytes: beginning.bytes, leaveOut });
  }

  /** What nobody serves goes first: half objects, then wrong ones, then those that nothing needs. */
  async #makeRoom(bytes: number): Promise<void> {
    const { arriving, aside, cached } = this.#places;
    await arriving.removeIdle();
    await aside.empty();
    await cached.free(bytes);
  }

  async #setAside(file: string, digest: ArtifactDigest, found: LfsObject): Promise<void> {
    const { cached, aside } = this.#places;
    cached.forget(digest);
    await aside.take(file, digest);
    this.#settings.log?.warn({ digest, found }, 'set aside an artifact with the wrong bytes');
  }

  async #check(digest: ArtifactDigest, pace: Pace, signal: AbortSignal): Promise<Checked> {
    const { cached } = this.#places;
    const found = await cached.read(digest, pace, signal);
    if (found === null) return 'gone';
    if (found.digest === digest) return 'sound';
    await this.#setAside(cached.path(digest), digest, found);
    return 'spoilt';
  }

  /** Last good must be here before it is needed. One that can't be had does not keep the others from coming. */
  async #complete(signal: AbortSignal): Promise<ArtifactDigest[]> {
    const missing: ArtifactDigest[] = [];
    for (const object of this.#settings.pins() ?? []) {
      if (await this.has(object.digest)) continue;
      try {
        await this.ensure(object, signal);
      } catch {
        signal.throwIfAborted();
        missing.push(object.digest);
      }
    }
    return missing;
  }
}

interface Download {
  object: LfsObject;
  write: Write;
  claim: Claim;
  signal: AbortSignal;
}

function different({ digest, sizeBytes }: LfsObject, found: LfsObject): SwitchbackError {
  const what =
    found.digest === digest
      ? `has ${found.sizeBytes} bytes where ${sizeBytes} are declared; correct the size in its pointer and version.yaml`
      : `came as ${found.sizeBytes} bytes with the digest ${found.digest}; push the right file again, or register a new version`;
  return new SwitchbackError('E_LFS_DIGEST', `The artifact ${digest} ${what}.`, {
    details: { digest, sizeBytes, found },
  });
}

function tooLarge({ digest, sizeBytes }: LfsObject, limitBytes: number): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The artifact ${digest} declares ${sizeBytes} bytes, more than the ${limitBytes} that are accepted; correct the size in its pointer.`,
    { details: { digest, sizeBytes, limitBytes } },
  );
}
