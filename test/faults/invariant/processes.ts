import type { SeenProcess } from '../../e2e/processes.fixture.ts';
import { type Round, violate } from '../round.ts';
import { ENVIRONMENTS } from '../world/model-folder.ts';
import { until } from '../world/until.ts';

/** A git whose remote hangs ends by itself after so long. */
const GONE_WITHIN_MS = 30_000;
const ONE_EACH = [
  ['up', /controller\/src\/cli\/main\.ts up /, 1],
  ['controller', /controller\/src\/main\.ts /, 1],
  ['runtime', /runtime\/src\/main\.ts /, Object.keys(ENVIRONMENTS).length],
] as const;

/** One of each that is meant to live alone, and nobody whose parent has died. */
export async function checkProcesses(round: Round, withinMs = GONE_WITHIN_MS): Promise<void> {
  let wrong: string | null = null;
  await until(
    withinMs,
    async () => {
      wrong = judge(await round.world.processes.living());
      return wrong === null;
    },
    250,
  );
  if (wrong) violate(round, 'no orphan', 'one of each, all with a living parent', wrong);
}

function judge(living: readonly SeenProcess[]): string | null {
  for (const [name, words, count] of ONE_EACH) {
    const found = living.filter(each => words.test(each.words)).length;
    if (found !== count) return `${found} of ${name}`;
  }
  const known = new Set([process.pid, ...living.map(({ pid }) => pid)]);
  // A runtime outlives the controller that started it, on purpose.
  const orphan = living.find(
    ({ parent, words }) => !known.has(parent) && !/runtime\/src\/main\.ts /.test(words),
  );
  return orphan ? `${orphan.pid} has lost its parent: ${orphan.words.slice(0, 300)}` : null;
}
