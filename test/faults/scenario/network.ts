import { join } from 'node:path';
import { Person } from '../../e2e/person.fixture.ts';
import type { Moment, Weather } from '../../e2e/proxy.fixture.ts';
import { type Round, violate } from '../round.ts';
import type { Point } from '../story/story.ts';
import { NOTES_FILE } from '../world/model-folder.ts';
import { pause } from '../world/until.ts';
import { bySeed, type Fault, type Scenario } from './scenario.ts';

const AWAY_MS = 20_000;
const MOST_RACES = 5;

/** What lies between the controller and its remote, and others who push there. */
export const network: readonly Scenario[] = [
  { name: 'remote down for 20 s', fault: seed => away('refuse', START[seed - 1] ?? 'canary') },
  { name: 'remote black-holed for 20 s', fault: seed => away('swallow', START[seed - 1] ?? 'canary') },
  {
    name: 'reply to a push lost',
    fault: seed => {
      const lost: Promise<void>[] = [];
      const point = bySeed<Point>(seed, ['begun', 'canary', 'found bad']);
      return {
        at: { [point]: async ({ world }: Round) => void lost.push(world.proxy.loseAnswer()) },
        judge: async round => {
          const hasHappened = await Promise.race([Promise.all(lost).then(() => true), pause(1000)]);
          if (!hasHappened) violate(round, 'reached', 'the answer to a push gets lost', 'nobody pushed');
        },
      };
    },
  },
  {
    name: 'somebody faster at every push',
    fault: seed => raced(bySeed<Moment[]>(seed, [['asks'], ['sends'], ['asks', 'sends']])),
  },
];

const START: readonly Point[] = ['canary', 'found bad', 'begun'];

function away(weather: Weather, point: Point): Fault {
  return {
    at: {
      [point]: async (round: Round) => {
        const { proxy } = round.world;
        proxy.weather(weather);
        round.meanwhile.push(pause(AWAY_MS).then(() => proxy.weather('pass')));
      },
    },
  };
}

/** Only so often: who is outrun for ever can't be told from one that does not try. */
function raced(moments: readonly Moment[]): Fault {
  let races = 0;
  return {
    at: {
      released: async ({ world, version }) => {
        const racer = await Person.clone(world.remoteUrl, join(world.directory, `racer-${version}`));
        for (const moment of moments)
          world.proxy.ambush(moment, async () => {
            if (races >= MOST_RACES) return;
            races += 1;
            await racer.edit(`Note ${races}`, { [NOTES_FILE]: `${version}, ${races}\n` });
          });
      },
    },
    judge: async round => {
      for (const moment of moments) round.world.proxy.ambush(moment, null);
      if (races < 2) violate(round, 'reached', 'several pushes are outrun', `${races} were`);
    },
  };
}
