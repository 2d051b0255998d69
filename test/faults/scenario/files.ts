import { chmod, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Round } from '../round.ts';

/** Kills `up` and its controller; runtimes serve on. */
export async function stopController({ world }: Round): Promise<void> {
  const controller = await world.controller();
  world.processes.kill(world.life.pid, controller);
  await world.life.over();
}

/** In the middle of the file. */
export async function flipByte(file: string): Promise<void> {
  await chmod(file, 0o600);
  await using handle = await open(file, 'r+');
  const middle = Math.floor((await handle.stat()).size / 2);
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, middle);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, middle);
}

/** Files below a folder whose names fit. */
export async function filesNamed(directory: string, fits: RegExp): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => entry.isFile() && fits.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name));
}
