import { type Environment, MODELS } from '../example.ts';
import type { Deed, Ground } from '../ground.ts';
import { seconds } from '../ground.ts';
import type { Excuse } from '../judge/failures.ts';
import { found } from '../wait.ts';

const BACK_WITHIN_MS = 60_000;

export function killFront({ place, traffic, signal }: Ground, environment: Environment): Deed {
  let killed = 0;
  let excuses: Excuse[] = [];
  return {
    what: `the front of ${environment} is killed`,
    act: async () => {
      killed = await found(`a front of ${environment}`, BACK_WITHIN_MS, signal, () =>
        place.front(environment),
      );
      excuses = traffic.excuse('front killed', environment, MODELS);
      place.processes.kill(killed);
    },
    prove: async () => {
      const pid = await found(`another front of ${environment}`, BACK_WITHIN_MS, signal, async () => {
        const now = await place.front(environment);
        return now === killed ? null : now;
      });
      await found('every model to answer again', BACK_WITHIN_MS, signal, () =>
        excuses.every(({ untilMs }) => untilMs !== null) ? true : null,
      );
      const longest = Math.max(...excuses.map(({ fromMs, untilMs }) => (untilMs ?? 0) - fromMs));
      return `process ${killed} was replaced by ${pid}, every model answers again after ${seconds(longest)}`;
    },
  };
}
