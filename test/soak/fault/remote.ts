import { type Deed, type Ground, seconds } from '../ground.ts';
import { found, pause } from '../wait.ts';

const AWAY_MS = 20_000;
const SEEN_WITHIN_MS = 60_000;
/** Of a look at the remote that tells of now. */
const FRESH_MS = 10_000;

/** The remote is away for 20 s: it refuses connections, or takes them and says nothing. */
export function takeRemoteAway({ place, signal }: Ground, how: 'cut' | 'silent'): Deed {
  const { remote, processes } = place;
  let backAt = 0;
  return {
    what: `the remote ${how === 'cut' ? 'refuses connections' : 'says nothing'} for ${AWAY_MS / 1000} s`,
    act: async () => {
      if (how === 'cut') await remote.stop();
      else processes.signal('SIGSTOP', remote.pid);
      await pause(AWAY_MS, signal);
      if (how === 'cut') await remote.start();
      else processes.signal('SIGCONT', remote.pid);
      backAt = Date.now();
    },
    prove: async () => {
      await found('the controller to reach the remote', SEEN_WITHIN_MS, signal, async () => {
        const { repository } = await place.status();
        const isFresh =
          repository.ageMs !== null && repository.ageMs < Math.min(FRESH_MS, Date.now() - backAt);
        return repository.failure === null && isFresh ? true : null;
      });
      return `the controller has reached it again ${seconds(Date.now() - backAt)} after it was back`;
    },
  };
}
