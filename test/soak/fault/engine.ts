import type { Environment, Model } from '../example.ts';
import { type Deed, event, type Ground, seconds } from '../ground.ts';
import type { Fault } from '../plan.ts';
import { found } from '../wait.ts';

const BACK_WITHIN_MS = 60_000;

/** Kills the engine of what serves most there, or stops it, which is to be found out by its silence. */
export function breakEngine(
  ground: Ground,
  { kind, environment, model }: Extract<Fault, { kind: 'engine killed' | 'engine stopped' }>,
): Deed {
  const { place, traffic, signal } = ground;
  const isKill = kind === 'engine killed';
  let broken = 0;
  let brokenAt = 0;
  const current = () => engineOf(ground, environment, model);
  return {
    what: `the engine of ${environment}/${model} is ${isKill ? 'killed' : 'stopped'}`,
    act: async () => {
      broken = await found(`an engine of ${environment}/${model}`, BACK_WITHIN_MS, signal, current);
      if (!isKill) traffic.excuse('engine stopped', environment, [model]);
      brokenAt = Date.now();
      place.processes.signal(isKill ? 'SIGKILL' : 'SIGSTOP', broken);
    },
    prove: async () => {
      try {
        const { data } = await event(
          ground,
          `${environment}/${model} to have its engine replaced`,
          BACK_WITHIN_MS,
          ({ type, subject, at }) =>
            type === 'engine.replaced' && subject === `${environment}/${model}` && at >= brokenAt,
        );
        const pid = await found('another engine', BACK_WITHIN_MS, signal, async () => {
          const now = await current();
          return now === broken ? null : now;
        });
        return `process ${broken} was replaced by ${pid} (${String(data['cause'])}), ready and known ${seconds(Date.now() - brokenAt)} later`;
      } finally {
        // Whoever has not been replaced goes on, so that it does not stand still for ever.
        if (!isKill) place.processes.signal('SIGCONT', broken);
      }
    },
  };
}

/** Of the ready revision with most of the traffic; null while there is none. */
async function engineOf({ place }: Ground, environment: Environment, model: Model): Promise<number | null> {
  const { environments } = await place.status();
  const address = environments.find(({ name }) => name === environment)?.address;
  if (!address) return null;
  const { routes, loaded } = await place.word(address);
  const backends = Object.entries(routes).find(([name]) => name === model)?.[1].backends ?? [];
  const [most] = backends.toSorted((a, b) => b.weight - a.weight);
  const own = loaded.find(each => each.model === model && each.revision === most?.revision);
  return own?.state === 'ready' ? (own.pid ?? null) : null;
}
