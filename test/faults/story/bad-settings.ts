import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { on } from '../world/chronicle.ts';
import { HEAD, SERVING_FILE, STABLE } from '../world/model-folder.ts';
import { PATIENCE_MS, tellRollback } from './bad-version.ts';
import type { Story } from './story.ts';

/** A person's settings break answers in prod; they are canaried, found bad and reverted exactly. */
export const badSettings: Story = {
  async tell(round, at) {
    const { world, version, since } = round;
    await at('begun');
    // Of another size each time, so that the hold of an earlier round does not name these.
    const maxBatch = 8 + Number(version.split('.').at(-1));
    await world.person.edit(`Hurry ${version}`, {
      [SERVING_FILE]: `${HEAD}kind: Serving\nlimits: { timeout: 1ms, maxBatch: ${maxBatch} }\n`,
    });
    await at('released');
    const isCanary = on('prod', 'rollout.started', STABLE);
    await world.chronicle.event('canary', event => isCanary(event) && event.seq > since.events, PATIENCE_MS);
    await at('canary');
    await tellRollback(round, at);
  },
  commits: ({ version }) => [`Hurry ${version}`],
  records: () => [`prod/${MODEL}: ${STABLE} rolled back`],
  revert: () => ({ subject: `, ${STABLE} on hold`, files: [`D ${SERVING_FILE}`] }),
  bad: () => STABLE,
  staging: ({ before }) => before,
};
