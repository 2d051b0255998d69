import { copyFile, open, rename, rm, stat, truncate } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';

const LOG_LIMIT_BYTES = 16 * 2 ** 20;
/** Beside the present one. */
const FILES_KEPT = 3;
const LOOK_MS = 5000;

export interface LogKeeperOptions {
  /** Asked at each look, since runtimes come and go. */
  files: () => readonly string[];
  clock: Clock;
  limitBytes?: number;
}

/**
 * Keeps logs that others are writing within bounds. They hold their file open for appending, so it is copied and
 * emptied: nobody who writes ever waits, nor has to be told.
 */
export function keepLogs({ files, clock, limitBytes = LOG_LIMIT_BYTES }: LogKeeperOptions): AsyncDisposable {
  const stop = new AbortController();
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      for (const file of files()) await rotateWritten(file, limitBytes).catch(() => {});
      await clock.sleep(LOOK_MS, stop.signal);
    }
  };
  const kept = keep();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await kept;
    },
  };
}

/** For a log that nobody writes now. */
export async function rotateIdle(file: string, limitBytes = LOG_LIMIT_BYTES): Promise<void> {
  if ((await sizeOf(file)) <= limitBytes) return;
  await makeRoom(file);
  await rename(file, `${file}.1`);
}

async function rotateWritten(file: string, limitBytes: number): Promise<void> {
  if ((await sizeOf(file)) <= limitBytes) return;
  const copy = `${file}.copy`;
  try {
    await copyFile(file, copy);
    // What came while it was copied; behind the last look fits no more than a line.
    while ((await appendRest(file, copy)) > 0);
    await makeRoom(file);
    // Before the log is emptied, so that who follows it finds the rest of it here.
    await rename(copy, `${file}.1`);
    await appendRest(file, `${file}.1`);
    await truncate(file, 0);
  } finally {
    await rm(copy, { force: true });
  }
}

async function makeRoom(file: string): Promise<void> {
  for (let number = FILES_KEPT - 1; number >= 1; number--)
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(ignoreMissing);
}

/** How many bytes the copy had been behind. */
async function appendRest(file: string, copy: string): Promise<number> {
  const from = await sizeOf(copy);
  await using source = await open(file, 'r');
  const { size } = await source.stat();
  if (size <= from) return 0;
  const { buffer, bytesRead } = await source.read(Buffer.alloc(size - from), 0, size - from, from);
  await using target = await open(copy, 'a');
  await target.write(buffer, 0, bytesRead);
  return bytesRead;
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(ignoreMissing);
  return found?.size ?? 0;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
