import { DEEDS, type Deed } from '../../../controller/src/failpoint/failpoint.ts';
import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { type Round, type Seed, violate } from '../round.ts';
import { badSettings } from '../story/bad-settings.ts';
import { PASSING_ENVIRONMENT, releaseText, STABLE } from '../world/model-folder.ts';
import { pause } from '../world/until.ts';
import { arm, disarm, isArmed, struck } from './arm.ts';
import type { Fault, Scenario } from './scenario.ts';

const AWAY_MS = 2500;
/** At most so often a place is passed by, before it strikes; those that a story comes by once are not in it. */
const TIMES: Partial<Record<Deed, number>> = {
  'cycle.remember': 12,
  'snapshot.publish': 3,
  'branch.fetch': 5,
  'records.fetch': 5,
  'record.commit': 2,
  'record.push': 2,
  'record.done': 2,
};
/** What a second blow may hit: everything that most stories come by once more. */
const SECOND: readonly Deed[] = DEEDS.filter(
  deed => !/^(?:runtime\.|artifact\.|lease\.renew|rollback\.revert)/.test(deed),
);

/** The controller is killed at one place of what it does to the world. */
export const cutOffs: readonly Scenario[] = DEEDS.flatMap(deed =>
  (['before', 'after'] as const).map(side => ({
    name: `kill ${side} ${deed}`,
    fault: (seed: Seed): Fault => cutOff(side, deed, seed),
  })),
);

function cutOff(side: 'before' | 'after', deed: Deed, seed: Seed): Fault {
  let strike: Promise<boolean> = Promise.resolve(false);
  const first = async (round: Round): Promise<void> => {
    const times = 1 + Math.floor(round.random() * (seed === 1 ? 1 : (TIMES[deed] ?? 1)));
    await arm(round, `${side} ${deed}: kill ${times}`);
    strike = struck(round);
    round.meanwhile.push(strike.then(hasStruck => (hasStruck ? then(round, seed) : undefined)));
  };
  const fault: Fault = {
    at: { begun: first },
    judge: async round => {
      if (!(await strike)) violate(round, 'reached', `the story comes by ${side} ${deed}`, 'it did not');
      await disarm(round);
    },
  };
  return withWay(fault, deed);
}

/** What comes on top, by seed. */
async function then(round: Round, seed: Seed): Promise<void> {
  if (seed === 2) {
    const deed = SECOND[Math.floor(round.random() * SECOND.length)] ?? 'cycle.remember';
    await arm(round, `${round.random() < 0.5 ? 'before' : 'after'} ${deed}: kill`);
  } else if (seed === 3) {
    round.world.proxy.weather('refuse');
    await pause(AWAY_MS);
    round.world.proxy.weather('pass');
  }
}

/** Some deeds are not done in every round: it is made to come by them. */
function withWay(fault: Fault, deed: Deed): Fault {
  const { at } = fault;
  if (deed === 'rollback.revert') return { ...fault, story: badSettings };
  if (deed === 'lease.acquire') return { ...fault, at: { ...at, canary: killController } };
  if (!deed.startsWith('runtime.')) return fault;
  const begun = async (round: Round): Promise<void> => {
    await at?.begun?.(round);
    await round.world.person.edit('Open an environment', {
      'environments/passing/environment.yaml': PASSING_ENVIRONMENT,
      [`environments/passing/${MODEL}/release.yaml`]: releaseText(STABLE),
    });
  };
  const told = async (round: Round): Promise<void> => {
    await round.world.person.remove('Close it again', 'environments/passing');
  };
  return { ...fault, at: { ...at, begun, told } };
}

/** Unless the place that was meant has been reached without it. */
async function killController(round: Round): Promise<void> {
  if (isArmed(round)) round.world.processes.kill(await round.world.controller());
}
