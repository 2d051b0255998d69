import { rmSync } from 'node:fs';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptRewrite } from '@switchback-ml/controller/command';
import { type Round, type Seed, violate } from '../round.ts';
import { PATIENCE_MS } from '../story/bad-version.ts';
import type { Point } from '../story/story.ts';
import { NOTES_FILE, releaseFile, releaseText } from '../world/model-folder.ts';
import { pause, until } from '../world/until.ts';
import { flipByte, stopController } from './files.ts';
import { bySeed, type Fault, type Scenario } from './scenario.ts';

/** What is wrong with git itself: the remote says no, its history is another one, the clone is spoilt. */
export const repository: readonly Scenario[] = [
  {
    name: 'push refused by a hook',
    fault: seed =>
      refused(
        ...bySeed<[Point, string, boolean]>(seed, [
          ['found bad', 'refs/heads/main', true],
          ['released', 'refs/heads/main', true],
          ['begun', 'refs/switchback/history', false],
        ]),
      ),
  },
  { name: 'history rewritten', fault: seed => ({ at: { begun: round => rewrite(round, seed) } }) },
  {
    name: 'clone corrupt',
    fault: seed => ({
      at: {
        begun: async round => {
          await stopController(round);
          await bySeed(seed, [flipPacks, cutPacks, dropIndexes])(join(round.world.state, 'repository'));
          await round.world.up();
        },
      },
    }),
  },
];

const HOOK = `#!/bin/sh
while read before after ref; do
  if [ "$ref" = "$(cat refuse 2>/dev/null)" ]; then rm refuse; echo 'not before noon' >&2; exit 1; fi
done
`;

/** Once. What then waits on a branch is merged by a person; a record is not worth one. */
function refused(point: Point, ref: string, isMerged: boolean): Fault {
  const merge = async ({ world, since }: Round): Promise<void> => {
    const { data } = await world.chronicle.event(
      'refusal',
      event => event.type === 'operation.refused' && event.seq > since.events,
      PATIENCE_MS,
    );
    const { branch, reason } = data as { branch?: string; reason?: string };
    if (branch === undefined) throw new Error(`refused without a branch: ${reason}`);
    await world.person.merge(branch);
  };
  const refuse = async (round: Round): Promise<void> => {
    const { bare } = round.world;
    await mkdir(join(bare, 'hooks'), { recursive: true });
    await writeFile(join(bare, 'hooks', 'pre-receive'), HOOK, { mode: 0o755 });
    await writeFile(join(bare, 'refuse'), ref);
    if (isMerged) round.meanwhile.push(merge(round));
  };
  return {
    at: { [point]: refuse },
    judge: async ({ world }) => rmSync(join(world.bare, 'hooks'), { recursive: true }),
    ...(isMerged ? {} : { losesRecords: true }),
  };
}

/** Nothing is done on a line that is not the one that was seen, until a person has put that back, or said yes to it. */
async function rewrite(round: Round, seed: Seed): Promise<void> {
  const { world, version } = round;
  await world.person.edit('Note', { [NOTES_FILE]: `Before ${version}.\n` });
  const head = (await world.git('rev-parse', 'HEAD')).trim();
  const isSeen = await until(PATIENCE_MS, async () => (await world.status()).repository.commit === head);
  if (!isSeen) throw new Error('the note was not seen');
  const { before, after } = await world.person.rewrite('Another note', {
    [NOTES_FILE]: `Instead, ${version}.\n`,
  });
  const release = await world.person.edit(`Release ${version}`, {
    [releaseFile('staging')]: releaseText(version),
  });
  world.rewritten.push(before, after, release);
  await stands(round);
  if (seed === 1) await world.person.restore(before);
  if (seed === 3) {
    world.processes.kill(await world.controller());
    await stands(round);
  }
  if (seed !== 1) await accept(round, await world.person.revert(release));
  if (!(await until(PATIENCE_MS, async () => (await failure(round)) === '')))
    violate(round, 'goes on', 'the history is taken up', await failure(round));
}

/** It says so, and does nothing of what the rewritten line asks for. */
async function stands(round: Round): Promise<void> {
  const { chronicle } = round.world;
  if (!(await until(PATIENCE_MS, async () => (await failure(round)).includes('E_HISTORY_REWRITTEN'))))
    violate(round, 'rewrite is told', 'E_HISTORY_REWRITTEN in the status', await failure(round));
  const told = chronicle.events.length;
  await pause(2000);
  const acted = chronicle.events.slice(told).find(({ type }) => /^(?:rollout|operation)\./.test(type));
  if (acted) violate(round, 'automation stops', 'nothing is done on a rewritten history', acted.type);
}

/** A controller that is just being started can't be told. */
async function accept({ world }: Round, commit: string): Promise<void> {
  let refusal = '';
  const ask = (): Promise<unknown> =>
    acceptRewrite(
      { commit, reason: 'it is meant' },
      {
        state: world.state,
        directory: world.directory,
        environment: { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' },
        signal: AbortSignal.timeout(5000),
      },
    );
  const isAccepted = await until(PATIENCE_MS, async () => {
    refusal = await ask().then(() => '', String);
    return refusal === '';
  });
  if (!isAccepted) throw new Error(`${commit} is not accepted: ${refusal}`);
}

const failure = async ({ world }: Round): Promise<string> =>
  world.status().then(({ repository }) => repository.failure ?? '', String);

async function flipPacks(clone: string): Promise<void> {
  for (const pack of await packs(clone, '.pack')) await flipByte(pack);
}

async function cutPacks(clone: string): Promise<void> {
  for (const pack of await packs(clone, '.pack')) await truncate(pack, 40);
}

async function dropIndexes(clone: string): Promise<void> {
  for (const index of await packs(clone, '.idx')) rmSync(index);
}

async function packs(clone: string, suffix: string): Promise<string[]> {
  const folder = join(clone, 'objects', 'pack');
  return (await readdir(folder)).filter(name => name.endsWith(suffix)).map(name => join(folder, name));
}
