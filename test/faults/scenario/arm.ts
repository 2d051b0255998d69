import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { Round } from '../round.ts';
import { until } from '../world/until.ts';

const STRUCK_WITHIN_MS = 60_000;

/** Arms a place: `before rollback.push: kill`. */
export function arm({ world }: Round, words: string): Promise<void> {
  return writeFile(world.failpointFile, `${words}\n`);
}

/** Once the armed place was reached; false: it was not, for as long as anybody waited. */
export function struck({ world }: Round, withinMs = STRUCK_WITHIN_MS): Promise<boolean> {
  return until(withinMs, () => !existsSync(world.failpointFile), 5);
}

export const isArmed = ({ world }: Round): boolean => existsSync(world.failpointFile);

export function disarm({ world }: Round): Promise<void> {
  return rm(world.failpointFile, { force: true });
}
