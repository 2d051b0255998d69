import type { Instant, NewEvent } from '@switchback-ml/schemas';
import type { Heard } from './observation/observation.ts';
import { subjectOf } from './rollout/rollout-state.ts';

/** When the newest replacement was told of, by instance, model and revision. */
export type ToldReplacements = ReadonlyMap<string, Instant>;

/** What runtimes say of engines that they replaced since they were last heard, each told once. */
export function replacedEngines(
  heard: readonly Heard[],
  before: ToldReplacements,
  now: Instant,
): { told: ToldReplacements; events: NewEvent[] } {
  const told = new Map<string, Instant>();
  const events: NewEvent[] = [];
  for (const { environment, observation } of heard) {
    for (const { model, revision, version, replaced = [] } of observation.loaded) {
      const key = `${observation.instanceId} ${model} ${revision}`;
      const last = before.get(key) ?? 0;
      for (const { at, cause, reason } of replaced) {
        if (at <= last) continue;
        const data = { version, revision, cause, reason, instance: observation.instanceId };
        const subject = subjectOf(environment, model);
        events.push({ at: now, type: 'engine.replaced', subject, actor: 'runtime', data });
      }
      told.set(key, Math.max(last, ...replaced.map(({ at }) => at)));
    }
  }
  return { told, events };
}
