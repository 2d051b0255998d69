import { ENVIRONMENTS, type Environment } from '../example.ts';
import { type Deed, event, type Ground, seconds, settledOn } from '../ground.ts';
import { Refuted } from '../wait.ts';
import { type NewVersion, registerVersion } from './register.ts';
import { rolledBack } from './rolled-back.ts';

const FOUND_WITHIN_MS = 12 * 60_000;
const SETTLED_WITHIN_MS = 3 * 60_000;

/** A version that is found degraded in one of the environments and taken back there, with a revert or a hold in git. */
export function badVersion(ground: Ground, change: NewVersion): Deed {
  const { model, candidate, version } = change;
  return {
    what: `${model} ${version} (${candidate}) is pushed`,
    act: () => registerVersion(ground, change),
    prove: async () => {
      const verdict = await event(
        ground,
        `a verdict on ${model} ${version}`,
        FOUND_WITHIN_MS,
        ({ type, subject, data }) =>
          subject.endsWith(`/${model}`) &&
          data['version'] === version &&
          (type === 'verdict.degraded' || (type === 'rollout.baked' && subject.startsWith('prod/'))),
      );
      if (verdict.type !== 'verdict.degraded') throw new Refuted(`${model} ${version} baked in prod`);
      const environment = ENVIRONMENTS.find(name => verdict.subject.startsWith(`${name}/`)) as Environment;
      const { sha, seenAtMs } = await rolledBack(ground, {
        environment,
        model,
        version,
        afterSeq: verdict.seq - 1,
      });
      const left = await settledOn(ground, {
        environment,
        model,
        what: `${verdict.subject} to settle on another version`,
        fits: each => each !== version,
        withinMs: SETTLED_WITHIN_MS,
      });
      return `${verdict.subject} found it degraded (${String(verdict.data['reason'])}), ${sha.slice(0, 7)} in git ${seconds(seenAtMs - verdict.at)} later, serves ${left}`;
    },
  };
}
