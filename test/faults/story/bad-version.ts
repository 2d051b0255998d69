import { MODEL } from '../../e2e/model-folder.fixture.ts';
import type { Round } from '../round.ts';
import { on, type ToldEvent } from '../world/chronicle.ts';
import { holdFile, releaseFile, releaseText } from '../world/model-folder.ts';
import type { Story } from './story.ts';

export const PATIENCE_MS = 90_000;

/** A person releases a bad version to staging; it bakes there, is promoted to prod, fails, is rolled back and held. */
export const badVersion: Story = {
  async tell(round, at) {
    const { world, version } = round;
    await at('begun');
    await world.person.edit(`Release ${version} to staging`, {
      [releaseFile('staging')]: releaseText(version),
    });
    await at('released');
    await world.chronicle.event('canary', on('prod', 'rollout.started', version), PATIENCE_MS);
    await at('canary');
    await tellRollback(round, at);
  },
  commits: ({ version }) => [`Release ${version} to staging`, `prod/${MODEL}: promote ${version}`],
  records: ({ version }) => [`staging/${MODEL}: ${version} baked`, `prod/${MODEL}: ${version} rolled back`],
  revert: ({ version }) => ({
    subject: `, ${version} on hold`,
    files: [`A ${holdFile(version)}`, `M ${releaseFile('prod')}`],
  }),
  bad: ({ version }) => version,
  staging: ({ version }) => version,
};

/** From the finding on, as every story goes. */
export async function tellRollback({ world, since }: Round, at: Parameters<Story['tell']>[1]): Promise<void> {
  const next = (type: string): Promise<ToldEvent> =>
    world.chronicle.event(type, event => isRollback(event, type) && event.seq > since.events, PATIENCE_MS);
  await next('operation.intended');
  await at('found bad');
  await next('operation.moved');
  await at('moved');
  await next('operation.done');
  await at('told');
}

export function isRollback(event: ToldEvent, type: string): boolean {
  return event.type === type && event.data['kind'] === 'rollback';
}
