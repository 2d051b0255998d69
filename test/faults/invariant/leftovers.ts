import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Round, violate } from '../round.ts';
import { until } from '../world/until.ts';

/** What is being written has a moment to be finished. */
const FINISHED_WITHIN_MS = 5000;
const UNFINISHED =
  /\.lock$|(?:^|\/)\.?tmp[-_]|\.part$|\.partial$|\.new$|\.tmp$|\.fresh$|-journal$|(?:^|\/)incoming\/.|\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** No lock, no temporary and no half-written file, in the state directory and the remote. */
export async function checkLeftovers(round: Round, withinMs = FINISHED_WITHIN_MS): Promise<void> {
  const { state, bare } = round.world;
  let left: string[] = [];
  await until(
    withinMs,
    async () => {
      left = [...(await unfinished(state)), ...(await unfinished(bare))];
      return left.length === 0;
    },
    200,
  );
  if (left.length > 0)
    violate(round, 'nothing left over', 'no lock, temporary or half file', left.slice(0, 10).join(', '));
}

async function unfinished(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter(path => UNFINISHED.test(path));
}
