import type { ToldEvent } from '../../faults/world/chronicle.ts';
import { commit, type Deed, event, type Ground, seconds } from '../ground.ts';
import { Refuted } from '../wait.ts';
import { type NewVersion, registerVersion } from './register.ts';

/** With few requests a second a canary takes minutes. */
const BAKED_WITHIN_MS = 12 * 60_000;

/** A version that goes through all environments by itself, and bakes in prod. */
export function goodVersion(ground: Ground, change: NewVersion): Deed {
  const { model, candidate, version } = change;
  let pushedAt = 0;
  return {
    what: `${model} ${version} (${candidate}) is pushed`,
    act: async () => {
      await registerVersion(ground, change);
      pushedAt = Date.now();
    },
    prove: async () => {
      const isNews = (told: ToldEvent): boolean => isBaked(told, change) || isRefuted(told, change);
      const end = await event(ground, `${model} ${version} to bake in prod`, BAKED_WITHIN_MS, isNews);
      if (!isBaked(end, change))
        throw new Refuted(
          `${end.subject} took a good version back: ${String(end.data['reason'] ?? end.type)}`,
        );
      const subject = `prod/${model}: promote ${version}`;
      const promotion = await commit(ground, subject, 10_000, each => each.subject === subject);
      return `promoted by ${promotion.sha.slice(0, 7)}, baked in prod ${seconds(end.at - pushedAt)} after the push`;
    },
  };
}

function isBaked({ type, subject, data }: ToldEvent, { model, version }: NewVersion): boolean {
  return type === 'rollout.baked' && subject === `prod/${model}` && data['version'] === version;
}

function isRefuted({ type, subject, data }: ToldEvent, { model, version }: NewVersion): boolean {
  const isOwn = subject.endsWith(`/${model}`) && data['version'] === version;
  return isOwn && (type === 'verdict.degraded' || type === 'verdict.page' || type === 'rollout.undecided');
}
