import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from './control-plane.ts';
import {
  addCommit,
  ENVIRONMENTS,
  folderOf,
  generateRepository,
  releaseText,
  versionFiles,
} from './generate.ts';

/** Of one size; times in milliseconds, medians where something was done several times. */
export interface Figures {
  models: number;
  /** From nothing: clone, read, decide, publish. */
  firstStartMs: number;
  /** With the clone and the ledger of an earlier life. */
  restartMs: number;
  /** A pass in which nothing has changed. */
  idlePassMs: number;
  /** From the nudge after a push of one release to its snapshot: fetch, read and view. */
  changeSeenMs: number;
  /** The pass after it: desired, rollout, plan, publish, remember. */
  changePassMs: number;
  /** Of the process once all is read, garbage collected where node was started with --expose-gc. */
  residentMiB: number;
}

const PASSES = 15;
const CHANGES = 7;

export async function measure(models: number, tell: (what: string) => void): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'switchback-scale-'));
  try {
    const bare = join(directory, 'models.git');
    tell(`${models} models: generating`);
    await generateRepository(bare, models);
    const state = join(directory, 'state');
    await mkdir(state);
    tell(`${models} models: first start`);
    const firstStartMs = await timed(async () => {
      await using plane = await ControlPlane.open(bare, state);
      await start(plane, models);
    });
    tell(`${models} models: restart`);
    const beforeRestart = performance.now();
    await using plane = await ControlPlane.open(bare, state);
    await start(plane, models);
    const restartMs = performance.now() - beforeRestart;
    tell(`${models} models: idle passes`);
    const idlePassMs = await medianOf(PASSES, () => timed(() => plane.pass()));
    tell(`${models} models: changes`);
    const changes = await change(plane, bare, models);
    global.gc?.();
    const residentMiB = process.memoryUsage.rss() / 2 ** 20;
    return { models, firstStartMs, restartMs, idlePassMs, ...changes, residentMiB };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Until everything that git asks for is published. */
async function start(plane: ControlPlane, models: number): Promise<void> {
  await plane.see(null);
  await plane.pass();
  const wanted = models * ENVIRONMENTS.length;
  if (plane.routes() !== wanted) throw new Error(`${plane.routes()} of ${wanted} routes were published`);
}

/** A new version of some model, released to dev, each time another. */
async function change(
  plane: ControlPlane,
  bare: string,
  models: number,
): Promise<Pick<Figures, 'changeSeenMs' | 'changePassMs'>> {
  const seen: number[] = [];
  const passed: number[] = [];
  let head = plane.state.head;
  for (let count = 0; count < CHANGES; count++) {
    const folder = folderOf(Math.floor((models * count) / CHANGES));
    await addCommit(bare, `${folder} 1.1.0`, versionFiles(folder, '1.1.0'));
    head = (await plane.see(head)) as typeof head;
    await plane.pass();
    await addCommit(bare, `release ${folder}`, [
      [`environments/dev/${folder}/release.yaml`, releaseText('1.1.0')],
    ]);
    seen.push(
      await timed(async () => {
        head = (await plane.see(head)) as typeof head;
      }),
    );
    passed.push(await timed(() => plane.pass()));
  }
  return { changeSeenMs: median(seen), changePassMs: median(passed) };
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

async function medianOf(times: number, measureOnce: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let count = 0; count < times; count++) all.push(await measureOnce());
  return median(all);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
