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

/** What holds where settings leave these out; said or not, they come to the same revision. */
export const LEFT_OUT = { queueRows: 1024, engines: 1, waitMs: 0, shadow: 0 };

/**
 * Merges by key, later parts over earlier ones: environment defaults, the model's own, the environment's for the
 * model. A list (steps, match) and what belongs together (a single objective, the cache, the answer to fall back on)
 * is replaced whole, since half of one means nothing.
 */
export function effectiveSettings(parts: readonly ServingPart[]): ServingSettings {
  let settings = DEFAULTS;
  for (const part of parts) settings = overlay(settings, part);
  return settings;
}

function overlay(base: ServingSettings, part: ServingPart): ServingSettings {
  const engines = part.engines ?? base.engines ?? LEFT_OUT.engines;
  const waitMs = part.batching?.wait ?? base.batching?.waitMs ?? LEFT_OUT.waitMs;
  const cache = part.cache ? { forMs: part.cache.for, bytes: part.cache.size } : base.cache;
  const fallback = part.fallback ?? base.fallback;
  const hasFallback = Object.keys(fallback?.outputs ?? {}).length > 0;
  return {
    limits: limitsOver(base.limits, part.limits),
    ...(engines === LEFT_OUT.engines ? {} : { engines }),
    ...(waitMs === LEFT_OUT.waitMs ? {} : { batching: { waitMs } }),
    ...(cache && cache.forMs > 0 ? { cache } : {}),
    rollout: rolloutOver(base.rollout, part.rollout),
    objectives: { ...base.objectives, ...part.objectives },
    ...(fallback && hasFallback ? { fallback } : {}),
  };
}

function limitsOver(base: ServingSettings['limits'], said: ServingPart['limits']): ServingSettings['limits'] {
  const queueRows = said?.queue ?? base.queueRows ?? LEFT_OUT.queueRows;
  return {
    memoryBytes: said?.memory ?? base.memoryBytes,
    timeoutMs: said?.timeout ?? base.timeoutMs,
    maxBatch: said?.maxBatch ?? base.maxBatch,
    ...(queueRows === LEFT_OUT.queueRows ? {} : { queueRows }),
  };
}

function rolloutOver(
  base: ServingSettings['rollout'],
  said: ServingPart['rollout'],
): ServingSettings['rollout'] {
  const { steps, undecided, stickyBy = base.stickyBy, match = base.match, shadow } = said?.canary ?? {};
  const shadowPercent = shadow === undefined ? (base.shadow ?? LEFT_OUT.shadow) : percentOf(shadow);
  return {
    steps:
      steps?.map(step => ({ weight: step.weight, forMs: step.for, requests: step.requests })) ?? base.steps,
    undecided: undecided ? { afterMs: undecided.after, then: undecided.then } : base.undecided,
    bake: said?.bake ? { forMs: said.bake.for, requests: said.bake.requests } : base.bake,
    ...(stickyBy ? { stickyBy } : {}),
    ...(match && match.length > 0 ? { match } : {}),
    ...(shadowPercent === LEFT_OUT.shadow ? {} : { shadow: shadowPercent }),
  };
}

/** 0.07 → 7, and not 7.000000000000001. */
function percentOf(ratio: number): number {
  return Number((ratio * 100).toPrecision(12));
}
