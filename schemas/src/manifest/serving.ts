import { z } from 'zod';
import { Duration, Percent, Size } from '../scalars.ts';
import { manifest } from './envelope.ts';
import { TensorName } from './signature.ts';

/** What follows when an objective is breached, strongest first. */
export const Breach = z.enum(['rollback', 'hold', 'page', 'notify']);
export type Breach = z.infer<typeof Breach>;

const target = Percent.refine(
  ratio => ratio > 0 && ratio < 1,
  'must be above 0% and below 100%: 100% can never be kept',
);

/** An attempt is good when it was answered in less than `under`. */
export const FastObjective = z.strictObject({ under: Duration, target, breach: Breach.default('notify') });
/**
 * An attempt is good when the runtime answered it; a 4xx is the caller's and counts nowhere. A NaN or an infinity in an
 * output that no `valid` objective looks at is bad here, so that it is always bad somewhere.
 */
export const AvailableObjective = z.strictObject({ target, breach: Breach.default('notify') });
/** An attempt is good when every value of `output` (every output if absent) is finite and in `within`. */
export const ValidObjective = z.strictObject({
  output: TensorName.optional(),
  within: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'must be [low, high] with low below high')
    .optional(),
  target,
  breach: Breach.default('notify'),
});

export const Objectives = z.strictObject({
  fast: FastObjective.optional(),
  available: AvailableObjective.optional(),
  valid: ValidObjective.optional(),
});
export type Objectives = z.infer<typeof Objectives>;

export const Limits = z.strictObject({
  memory: Size.optional(),
  timeout: Duration.optional(),
  maxBatch: z.int().min(1).max(4096).optional(),
});
export type Limits = z.infer<typeof Limits>;

/** Both must hold: the time has passed and the candidate has answered so many requests. */
const step = { for: Duration, requests: z.int().positive() };

export const Step = z.strictObject({ weight: z.number().gt(0).max(100), ...step });
export type Step = z.infer<typeof Step>;

export const Undecided = z.strictObject({
  after: Duration,
  then: z.enum(['page', 'continue', 'rollback']).default('page'),
});
export type Undecided = z.infer<typeof Undecided>;

export const Rollout = z.strictObject({
  canary: z
    .strictObject({
      steps: z
        .array(Step)
        .max(20)
        .refine(
          steps => steps.every((s, i) => i === 0 || s.weight > steps[i - 1]!.weight),
          'weights must rise',
        )
        .optional(),
      undecided: Undecided.optional(),
    })
    .optional(),
  /** After 100 %: how long, and over how many requests, a release is watched before it can be last good. */
  bake: z.strictObject(step).optional(),
});
export type Rollout = z.infer<typeof Rollout>;

/** How a model is run. Every field is optional, so that environment and model can each say a part. */
export const ServingFields = {
  limits: Limits.optional(),
  rollout: Rollout.optional(),
  objectives: Objectives.optional(),
};

export const ServingPart = z.strictObject(ServingFields);
export type ServingPart = z.infer<typeof ServingPart>;

/** `models/<model>/serving.yaml`, and by key over it `environments/<environment>/<model>/serving.yaml`. */
export const Serving = manifest('Serving', ServingFields);
export type Serving = z.infer<typeof Serving>;

/** What a deployment runs with once environment defaults, model and environment have been merged. */
export interface ServingSettings {
  limits: { memoryBytes: number; timeoutMs: number; maxBatch: number };
  rollout: {
    steps: readonly { weight: number; forMs: number; requests: number }[];
    undecided: { afterMs: number; then: 'page' | 'continue' | 'rollback' };
    bake: { forMs: number; requests: number };
  };
  objectives: Objectives;
}
