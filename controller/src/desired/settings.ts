import type { ServingPart, ServingSettings } from '@switchback-ml/schemas';

const MINUTE = 60_000;

/** What holds where nobody said anything. The objectives are empty: nobody is judged by a promise they never made. */
const DEFAULTS: ServingSettings = {
  limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: 1000, maxBatch: 64 },
  rollout: {
    steps: [],
    undecided: { afterMs: 48 * 60 * MINUTE, then: 'page' },
    bake: { forMs: 30 * MINUTE, requests: 500 },
  },
  objectives: {},
};

/**
 * Merges by key, later parts over earlier ones: environment defaults, the model's own, the environment's for the
 * model. A list (the steps) and a single objective are replaced whole, since half of one means nothing.
 */
export function effectiveSettings(parts: readonly ServingPart[]): ServingSettings {
  let settings = DEFAULTS;
  for (const part of parts) settings = overlay(settings, part);
  return settings;
}

function overlay(base: ServingSettings, part: ServingPart): ServingSettings {
  const { limits, rollout, objectives } = part;
  return {
    limits: {
      memoryBytes: limits?.memory ?? base.limits.memoryBytes,
      timeoutMs: limits?.timeout ?? base.limits.timeoutMs,
      maxBatch: limits?.maxBatch ?? base.limits.maxBatch,
    },
    rollout: {
      steps:
        rollout?.canary?.steps?.map(step => ({
          weight: step.weight,
          forMs: step.for,
          requests: step.requests,
        })) ?? base.rollout.steps,
      undecided: rollout?.canary?.undecided
        ? { afterMs: rollout.canary.undecided.after, then: rollout.canary.undecided.then }
        : base.rollout.undecided,
      bake: rollout?.bake ? { forMs: rollout.bake.for, requests: rollout.bake.requests } : base.rollout.bake,
    },
    objectives: { ...base.objectives, ...objectives },
  };
}
