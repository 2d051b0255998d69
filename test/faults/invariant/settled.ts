import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { type Round, violate } from '../round.ts';
import type { Story } from '../story/story.ts';
import { STABLE } from '../world/model-folder.ts';
import { until } from '../world/until.ts';
import { openOperations } from './events.ts';

const SETTLED_WITHIN_MS = 90_000;

/** Waits until nothing is under way any more: git, runtimes and the log of events say the same. */
export async function settled(round: Round, story: Story): Promise<void> {
  let why = '';
  const isSettled = await until(
    SETTLED_WITHIN_MS,
    async () => {
      why = await whyNot(round, story).catch(String);
      return why === '';
    },
    100,
  );
  if (!isSettled) violate(round, 'comes to rest', 'all operations ended, last good serves', why);
}

async function whyNot(round: Round, story: Story): Promise<string> {
  const { world } = round;
  const { environments, operations } = await world.status();
  if (operations.length > 0) return JSON.stringify(operations);
  const open = openOperations(world.chronicle.events);
  if (open.length > 0) return `no end of ${open.join(', ')}`;
  const wanted = { prod: STABLE, staging: story.staging(round) };
  for (const [name, version] of Object.entries(wanted)) {
    const deployment = environments
      .find(environment => environment.name === name)
      ?.deployments.find(({ model }) => model === MODEL);
    const [only, ...others] = deployment?.backends ?? [];
    const isServed = only?.version === version && only.weight === 100 && only.state === 'ready';
    if (!isServed || others.length > 0 || deployment?.phase !== 'steady')
      return `${name}: ${deployment?.phase} ${JSON.stringify(deployment?.backends)}`;
    const diverged = deployment.conditions.find(({ type, status }) => type === 'Diverged' && status);
    if (diverged) return diverged.message;
  }
  return '';
}
