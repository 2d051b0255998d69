import { join } from 'node:path';
import { readConfig } from '../../../controller/src/config.ts';
import { Asker } from '../load/asker.ts';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { PushResult, PushTrail } from '../results.ts';
import { type ControlLoop, startControlLoop } from '../subject/control-loop.ts';
import { versionFiles } from '../subject/model-repository.ts';
import { versionOf } from '../subject/snapshot.ts';
import type { Ground } from '../subject/subject.ts';

/** Fine beside what is measured, and hardly any load. */
const ASK_EVERY_MS = 5;
const BOUND_MS = 30_000;
const TELL_EVERY = 5;

/** New versions pushed to a real remote of a real controller, each once the one before it has baked. */
export async function pushVersions(times: number, ground: Ground): Promise<PushResult> {
  const model = modelNamed(LIGHTEST);
  const folder = join(ground.scratch, 'models');
  const first = await makeSample(model, folder);
  await using loop = await startControlLoop(first, ground);
  await using asker = new Asker(loop.dialect, { everyMs: ASK_EVERY_MS });
  await loop.settled('1.0.0');
  const trails: PushTrail[] = [];
  for (let count = 1; count <= times; count++) {
    const label = `1.0.${count}`;
    const files = versionFiles(model.name, versionOf(await makeSample(model, folder, 1 + count), label));
    const commit = await loop.author.commit(files, `${model.name}: register ${label}`);
    const trail = await push(loop, asker, { label, commit }, ground.signal);
    trails.push(trail);
    if (count % TELL_EVERY === 0 || count === times)
      ground.tell(`push: ${count} of ${times}, the last answered after ${Math.round(trail.answeredMs)} ms`);
  }
  const { asked, failed } = asker;
  return { model: LIGHTEST, everyMs: ASK_EVERY_MS, pollMs: usualPollMs(), trails, asked, failed };
}

/** One version, from its push to its first answer. */
async function push(
  loop: ControlLoop,
  asker: Asker,
  { label, commit }: { label: string; commit: string },
  signal: AbortSignal,
): Promise<PushTrail> {
  const giveUp = new AbortController();
  const bound = AbortSignal.any([signal, giveUp.signal, AbortSignal.timeout(BOUND_MS)]);
  try {
    const pushAndNudge = async (): Promise<Nudge> => {
      const began = performance.now();
      await loop.author.push();
      const nudge = { elapsed: performance.now(), at: Date.now(), pushMs: performance.now() - began };
      await loop.nudge();
      return nudge;
    };
    const [{ pushMs, elapsed, at }, publishedAt, answered] = await Promise.all([
      pushAndNudge(),
      loop.published(label, bound),
      asker.first(label, bound),
    ]);
    // What is told of it is remembered after it was done.
    await loop.settled(label);
    const { seenAt, readyAt, loadMs } = await whatWasSeen(loop, label, commit);
    return {
      pushMs,
      seenMs: seenAt - at,
      publishedMs: publishedAt - at,
      pulledMs: readyAt - loadMs - at,
      readyMs: readyAt - at,
      answeredMs: answered - elapsed,
    };
  } finally {
    giveUp.abort();
  }
}

/** The same moment by both clocks: what others tell is by the system's. */
interface Nudge {
  elapsed: number;
  at: number;
  pushMs: number;
}

/** By the words of controller and runtime, each by the clock of this machine. */
async function whatWasSeen(
  loop: ControlLoop,
  label: string,
  commit: string,
): Promise<{ seenAt: number; readyAt: number; loadMs: number }> {
  const event = await loop.seen(commit);
  const { loaded } = await loop.observe();
  const held = loaded.find(({ version }) => version === label);
  if (event === undefined || held === undefined)
    throw new Error(`version ${label} answers, and controller or runtime do not know of it`);
  return { seenAt: event.at, readyAt: held.since, loadMs: held.loadMs ?? 0 };
}

function usualPollMs(): number {
  return readConfig(['--repo', '.', '--state', '.']).pollMs;
}
