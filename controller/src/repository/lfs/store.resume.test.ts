import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SwitchbackError } from '../../error.ts';
import { objectOf } from './artifact.contract.ts';
import type { ResumableSource } from './resumable-source.ts';
import { type StoreWorld, storeWorld } from './store.fixture.ts';
import type { TransferProgress } from './transfer-progress.ts';

const MEGA = 2 ** 20;
const WEIGHTS = Buffer.alloc(4 * MEGA, 'weights of a model ');
const OBJECT = objectOf(WEIGHTS);
const PART = `${OBJECT.digest}.${OBJECT.sizeBytes}.part`;
const never = new AbortController().signal;

interface World extends StoreWorld {
  /** From which byte on each download was sent. */
  begun: number[];
  progress: TransferProgress[];
}

/** A source that is cut after some bytes of its first answer. */
async function cutAfter(
  bytes: number,
  { knowsBeginnings = true, error = unreachable() }: { knowsBeginnings?: boolean; error?: Error } = {},
): Promise<World> {
  const begun: number[] = [];
  const progress: TransferProgress[] = [];
  const source: ResumableSource = {
    download: async (_, write, signal, beginning) => {
      signal.throwIfAborted();
      const from = knowsBeginnings ? (beginning?.bytes ?? 0) : 0;
      if (knowsBeginnings) beginning?.leaveOut();
      begun.push(from);
      const end = begun.length === 1 ? bytes : WEIGHTS.length;
      for (let at = from; at < end; at += 100_000)
        await write(WEIGHTS.subarray(at, Math.min(end, at + 100_000)));
      if (begun.length === 1) throw error;
    },
  };
  const it = await storeWorld({ source, onProgress: told => progress.push(told) });
  return Object.assign(it, { begun, progress });
}

function unreachable(): SwitchbackError {
  return new SwitchbackError('E_LFS_UNREACHABLE', 'The line was cut.');
}

describe('a download that was cut', () => {
  it('is gone on with by the next one, also after a restart', async () => {
    await using it = await cutAfter(3 * MEGA);
    await expect(it.store.ensure(OBJECT, never)).rejects.toMatchObject({ code: 'E_LFS_UNREACHABLE' });
    expect(await it.names('incoming')).toEqual([PART]);
    await it.reopen();

    const path = await it.store.ensure(OBJECT, never);

    expect((await readFile(path)).equals(WEIGHTS)).toBe(true);
    expect(it.begun).toEqual([0, 3 * MEGA]);
    expect(await it.names('incoming')).toEqual([]);
    expect(it.warnings).toEqual([]);
  });

  it('is whole also from a source that knows of no beginnings', async () => {
    await using it = await cutAfter(3 * MEGA, { knowsBeginnings: false });
    await it.store.ensure(OBJECT, never).catch(() => {});

    const path = await it.store.ensure(OBJECT, never);

    expect((await readFile(path)).equals(WEIGHTS)).toBe(true);
    expect(it.begun).toEqual([0, 0]);
  });

  it('is fetched whole, once, when what was kept of it is not what it was', async () => {
    await using it = await cutAfter(3 * MEGA);
    await it.store.ensure(OBJECT, never).catch(() => {});
    const part = join(it.directory, 'incoming', PART);
    await writeFile(part, (await readFile(part)).fill('x', 10, 11));

    const path = await it.store.ensure(OBJECT, never);

    expect((await readFile(path)).equals(WEIGHTS)).toBe(true);
    expect(it.begun).toEqual([0, 3 * MEGA, 0]);
    expect(await it.names('quarantine')).toEqual([]);
  });

  it('needs nobody when all of its bytes had come', async () => {
    await using it = await cutAfter(WEIGHTS.length);
    await it.store.ensure(OBJECT, never).catch(() => {});

    await it.store.ensure(OBJECT, never);

    expect(it.begun).toEqual([0]);
  });

  it('is begun anew when what was kept is longer than the object', async () => {
    await using it = await cutAfter(3 * MEGA);
    await it.store.ensure(OBJECT, never).catch(() => {});
    await writeFile(join(it.directory, 'incoming', PART), Buffer.alloc(5 * MEGA));

    await it.store.ensure(OBJECT, never);

    expect(it.begun).toEqual([0, 0]);
  });

  it('is kept when nobody waits any more', async () => {
    const controller = new AbortController();
    await using it = await storeWorld({
      source: {
        download: async (_, write, signal) => {
          await write(WEIGHTS.subarray(0, 2 * MEGA));
          controller.abort(new Error('enough'));
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          });
        },
      },
    });

    await expect(it.store.ensure(OBJECT, controller.signal)).rejects.toThrow('enough');
    await it.store[Symbol.asyncDispose]();

    expect(await it.names('incoming')).toEqual([PART]);
  });

  it.each<[string, number, Error]>([
    ['too little of it came', MEGA - 1, unreachable()],
    ['the server refused it', 3 * MEGA, new SwitchbackError('E_LFS_OBJECT', 'Gone.')],
    ['nobody knows what went wrong', 3 * MEGA, new Error('what?')],
  ])('leaves nothing when %s', async (_, bytes, error) => {
    await using it = await cutAfter(bytes, { error });

    await expect(it.store.ensure(OBJECT, never)).rejects.toBe(error);

    expect(await it.names('incoming')).toEqual([]);
  });

  it('says how far it is, from where it goes on, and not at every chunk', async () => {
    await using it = await cutAfter(3 * MEGA);
    await it.store.ensure(OBJECT, never).catch(() => {});
    it.progress.length = 0;
    it.clock.advance(1000);

    await it.store.ensure(OBJECT, never);

    const common = { operation: 'download', digest: OBJECT.digest, totalBytes: WEIGHTS.length };
    expect(it.progress).toEqual([
      { ...common, bytes: 3 * MEGA + 100_000 },
      { ...common, bytes: WEIGHTS.length },
    ]);
  });
});

describe('what is left in incoming/', () => {
  it('is swept at the next opening unless it is worth going on with', async () => {
    await using it = await storeWorld();
    await it.store[Symbol.asyncDispose]();
    const incoming = join(it.directory, 'incoming');
    const part = (letter: string): string => `${letter.repeat(64)}.${4 * MEGA}.part`;
    await writeFile(join(incoming, part('a')), WEIGHTS.subarray(0, MEGA));
    await writeFile(join(incoming, part('b')), 'too small');
    await writeFile(join(incoming, part('c')), WEIGHTS.subarray(0, MEGA));
    const dayAgo = it.clock.now() / 1000 - 25 * 3600;
    await utimes(join(incoming, part('c')), dayAgo, dayAgo);
    await writeFile(join(incoming, `${'d'.repeat(64)}-5f0c4ee4`), WEIGHTS.subarray(0, MEGA));
    await writeFile(join(incoming, `../${'e'.repeat(64)}`), 'beside');

    await it.reopen();

    expect(await readdir(incoming)).toEqual([part('a')]);
    expect(it.warnings).toEqual(['removed artifacts that were left half written']);
  });

  it('is no more than a few, the newest ones', async () => {
    await using it = await storeWorld();
    await it.store[Symbol.asyncDispose]();
    const names = Array.from(
      { length: 20 },
      (_, at) => `${at.toString(16).padStart(64, '0')}.${4 * MEGA}.part`,
    );
    for (const [at, name] of names.entries()) {
      const file = join(it.directory, 'incoming', name);
      await writeFile(file, WEIGHTS.subarray(0, MEGA));
      await utimes(file, it.clock.now() / 1000 - at, it.clock.now() / 1000 - at);
    }

    await it.reopen();

    expect((await it.names('incoming')).sort()).toEqual(names.slice(0, 16));
  });
});
