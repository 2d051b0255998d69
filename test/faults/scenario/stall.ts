import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Round, type Seed, violate } from '../round.ts';
import { pause, until } from '../world/until.ts';
import { arm, disarm, struck } from './arm.ts';
import type { Fault, Scenario } from './scenario.ts';

const LEASE_MS = 15_000;
const HUNG_MS = 60_000;
const PLACES = [
  'after cycle.remember',
  'before promotion.push',
  'after promotion.push',
  'after rollback.intended',
  'before rollback.push',
  'after rollback.push',
];

/** The leader is stopped for longer than its lease, and then goes on where it stood; or it does not. */
export const stalls: readonly Scenario[] = [
  ...PLACES.map(place => ({
    name: `stop ${place}`,
    fault: (seed: Seed): Fault => stall(place, round => outlast(round, seed)),
  })),
  {
    name: 'controller hangs for good',
    fault: seed => stall(PLACES[seed - 1] ?? '', replaced),
  },
];

function stall(place: string, then: (round: Round) => Promise<void>): Fault {
  let strike: Promise<boolean> = Promise.resolve(false);
  return {
    at: {
      begun: async round => {
        await arm(round, `${place}: stop`);
        strike = struck(round);
        round.meanwhile.push(strike.then(hasStruck => (hasStruck ? then(round) : undefined)));
      },
    },
    judge: async round => {
      if (!(await strike)) violate(round, 'reached', `the story comes by ${place}`, 'it did not');
      await disarm(round);
    },
  };
}

/** With seed 1 nobody else leads meanwhile; else somebody did, and the one that was stopped has to find that out. */
async function outlast(round: Round, seed: Seed): Promise<void> {
  const { world } = round;
  const pid = await world.controller();
  await pause(LEASE_MS + 1500);
  const isReplaced = seed !== 1;
  if (isReplaced) leadForAMoment(join(world.state, 'ledger.sqlite'));
  const before = world.life.said.length;
  world.processes.signal('SIGCONT', pid);
  if (!isReplaced) return;
  const hasEnded = await until(20_000, () => world.life.said.slice(before).includes('it exited with 3'));
  if (!hasEnded)
    violate(
      round,
      'stale leader ends',
      'it exits with 3',
      world.life.said.slice(before) || 'nothing was said',
    );
}

/** Whoever keeps it sees that it does not answer. */
async function replaced(round: Round): Promise<void> {
  const { life } = round.world;
  const before = life.said.length;
  const isKilled = await until(HUNG_MS, () => life.said.slice(before).includes('it was ended by SIGKILL'));
  if (!isKilled)
    violate(round, 'hung leader replaced', 'up kills it', life.said.slice(before) || 'nothing was said');
}

/** As another controller of the same ledger would, and gives it up again. */
function leadForAMoment(file: string): void {
  using ledger = new DatabaseSync(file, { timeout: 5000 });
  ledger.exec(`UPDATE lease SET holder = 'another', epoch = epoch + 1, until_at = ${Date.now()}`);
}
