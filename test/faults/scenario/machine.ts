import { execFile } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { type Round, violate } from '../round.ts';
import type { Point } from '../story/story.ts';
import { whyNoSmallDisk } from '../world/small-disk.ts';
import { pause } from '../world/until.ts';
import { losePower } from './deaths.ts';
import { filesNamed, flipByte, stopController } from './files.ts';
import { bySeed, type Fault, type Scenario } from './scenario.ts';

const run = promisify(execFile);
const FULL_MS = 6000;
const LOCKED_MS = 20_000;
const SHORT_MS = 6000;
const RECOVERED_MS = 2000;
const OBJECT = /^[0-9a-f]{64}$/;

/** What the machine under it does: spoils files, has no room, gives no descriptors. */
export const machine: readonly Scenario[] = [
  {
    name: 'artifacts corrupt in store and cache',
    fault: () => ({
      at: {
        begun: async round => {
          await losePower(round);
          for (const file of await filesNamed(round.world.state, OBJECT)) await flipByte(file);
          await round.world.up();
        },
      },
    }),
  },
  {
    name: 'disk full',
    ground: 'small disk',
    whyNot: whyNoSmallDisk,
    fault: seed => ({ at: { [bySeed<Point>(seed, ['released', 'canary', 'found bad'])]: fillDisk } }),
  },
  {
    name: 'no descriptors left',
    fault: seed =>
      starved(bySeed<Point>(seed, ['released', 'canary', 'found bad']), async ({ world }) =>
        world.controller(),
      ),
  },
  {
    name: 'no descriptors left for a front',
    fault: seed =>
      starved(bySeed<Point>(seed, ['released', 'canary', 'begun']), async round => {
        const environment = seed === 1 ? 'staging' : 'prod';
        // It sheds whoever connects anew, which is all that it can do.
        const fromMs = Date.now();
        round.outages.push({ environment, fromMs, untilMs: fromMs + SHORT_MS + RECOVERED_MS });
        return round.world.front(environment);
      }),
  },
  {
    name: 'ledger locked for 20 s',
    fault: seed => ({ at: { [bySeed<Point>(seed, ['released', 'canary', 'found bad'])]: lockLedger } }),
  },
  { name: 'ledger of a newer schema', fault: () => ({ at: { begun: refuseNewer } }) },
];

async function fillDisk(round: Round): Promise<void> {
  const { state } = round.world;
  const filler = join(state, 'filler');
  const piece = Buffer.alloc(2 ** 16);
  let isFull = false;
  while (!isFull) await writeFile(filler, piece, { flag: 'a' }).catch(() => (isFull = true));
  round.meanwhile.push(pause(FULL_MS).then(() => rm(filler, { force: true })));
}

/** It may keep what it has open, and open nothing more. */
function starved(point: Point, victim: (round: Round) => Promise<number>): Fault {
  return {
    at: {
      [point]: async (round: Round) => {
        const pid = await victim(round);
        const before = await limitOf(pid);
        const { length } = await readdir(`/proc/${pid}/fd`);
        await limit(pid, length);
        round.meanwhile.push(pause(SHORT_MS).then(() => limit(pid, before)));
      },
    },
  };
}

async function limitOf(pid: number): Promise<number> {
  const args = ['--pid', String(pid), '--nofile', '--output', 'SOFT', '--noheadings', '--raw'];
  return Number((await run('prlimit', args)).stdout);
}

/** Whoever has ended meanwhile needs no limit. */
async function limit(pid: number, soft: number): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]).catch(() => {});
}

/** Longer than the lease, which can't be renewed meanwhile. */
async function lockLedger(round: Round): Promise<void> {
  const ledger = new DatabaseSync(join(round.world.state, 'ledger.sqlite'), { timeout: 5000 });
  ledger.exec('BEGIN IMMEDIATE');
  round.meanwhile.push(
    pause(LOCKED_MS).then(() => {
      ledger.exec('ROLLBACK');
      ledger.close();
    }),
  );
}

/** Left as it is by a controller that does not know it, which says so and ends. */
async function refuseNewer(round: Round): Promise<void> {
  const { world } = round;
  await stopController(round);
  const file = join(world.state, 'ledger.sqlite');
  change(file, 'INSERT INTO migration (version, applied_at) VALUES (99, 0)');
  const life = world.spawnUp();
  const code = await life.over();
  change(file, 'DELETE FROM migration WHERE version = 99');
  if (code === 0 || !/schema 99, this controller knows up to \d+/.test(life.said))
    violate(
      round,
      'newer schema refused',
      'it ends and names both versions',
      `${code}: ${life.said.slice(-500)}`,
    );
  await world.up();
}

function change(file: string, sql: string): void {
  using ledger = new DatabaseSync(file, { timeout: 5000 });
  ledger.exec(sql);
}
