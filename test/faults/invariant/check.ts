import type { Round } from '../round.ts';
import type { Story } from '../story/story.ts';
import { checkEvents } from './events.ts';
import { checkGit } from './git.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkProcesses } from './processes.ts';
import { checkRequests } from './requests.ts';
import { checkSecrets } from './secrets.ts';
import { checkServed } from './served.ts';

/** Everything that holds after a round, whatever was done to the world in it. */
export async function checkInvariants(round: Round, story: Story, losesRecords: boolean): Promise<void> {
  await checkGit(round, story, losesRecords);
  checkServed(round, story);
  checkRequests(round);
  checkEvents(round);
  await checkProcesses(round);
  await checkLeftovers(round);
  await checkSecrets(round);
}
