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
  /** Rows that may wait for its engines; what comes beyond is refused at once. */
  queue: z.int().min(1).max(1_000_000).optional(),
});
export type Limits = z.infer<typeof Limits>;

/** A duration that may also be none at all. */
function durationUpTo(longest: string) {
  const longestMs = Duration.parse(longest);
  return z
    .union(
      [z.literal('0s').transform(() => 0), Duration],
      `must be a duration such as "${longest}", or "0s" for none`,
    )
    .refine(ms => ms <= longestMs, `must be at most ${longest}`);
}

const Batching = z.strictObject({
  /** The longest that a request is kept for others to join it, where that is found to gain something. */
  wait: durationUpTo('1s').optional(),
});

/** Answers to be remembered by the request's own bytes; for `0s` none are. */
const Cache = z.strictObject({
  for: durationUpTo('30d'),
  size: Size.default(16 * 2 ** 20).refine(bytes => bytes <= 64 * 2 ** 30, 'must be at most 64Gi'),
});

/** One row for each output of the version, by name; without any output there is no such answer. */
const Fallback = z.strictObject({
  outputs: z.record(
    TensorName,
    z.array(z.union([z.number(), z.string(), z.boolean().transform(Number)], 'must be a number or a text')),
  ),
});

/** Kept in lower case, as HTTP servers hand names of headers out. */
const Header = z
  .string()
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/i, 'must be the name of an HTTP header')
  .transform(name => name.toLowerCase());

const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie'];

const Match = z.strictObject({
  header: Header.refine(
    name => !CREDENTIALS.includes(name),
    'must not be a header that carries credentials: git would keep them',
  ),
  /** The whole value, to the letter. */
  is: z
    .string()
    .regex(
      /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/,
      'must be 1 to 200 printable characters, with no blank at either end',
    ),
});

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
        .superRefine((steps, { addIssue }) => {
          const at = steps.findIndex((step, i) => i > 0 && step.weight <= steps[i - 1]!.weight);
          if (at === -1) return;
          const message = `weights must rise: write more than ${steps[at - 1]!.weight}, which the step before has, or take this step out`;
          addIssue({ code: 'custom', path: [at, 'weight'], message });
        })
        .optional(),
      undecided: Undecided.optional(),
      /** Requests with the same value of this header keep to one of the two revisions. */
      stickyBy: z.strictObject({ header: Header }).optional(),
      /** Requests that go to the candidate whatever its weight; they enter no verdict. */
      match: z.array(Match).max(20).optional(),
      /** Share of all requests of which the candidate gets a copy besides, that nobody waits for. */
      shadow: Percent.optional(),
    })
    .optional(),
  /** After 100 %: how long, and over how many requests, a release is watched before it can be last good. */
  bake: z.strictObject(step).optional(),
});
export type Rollout = z.infer<typeof Rollout>;

/** How a model is run. Every field is optional, so that environment and model can each say a part. */
export const ServingFields = {
  limits: Limits.optional(),
  /** Processes that each hold the graph and share the requests. */
  engines: z.int().min(1).max(64).optional(),
  batching: Batching.optional(),
  cache: Cache.optional(),
  rollout: Rollout.optional(),
  objectives: Objectives.optional(),
  /** Said, and marked as such, where no version could answer. */
  fallback: Fallback.optional(),
};

export const ServingPart = z.strictObject(ServingFields);
export type ServingPart = z.infer<typeof ServingPart>;

/** `models/<model>/serving.yaml`, and by key over it `environments/<environment>/<model>/serving.yaml`. */
export const Serving = manifest('Serving', ServingFields);
export type Serving = z.infer<typeof Serving>;

/**
 * What a deployment runs with once environment defaults, model and environment have been merged. Its digest is a part of
 * every revision id: a setting that comes into being later is optional here and left out where its default holds, or
 * each upgrade would roll every model out anew.
 */
export interface ServingSettings {
  /** Absent `queueRows`: 1024. */
  limits: { memoryBytes: number; timeoutMs: number; maxBatch: number; queueRows?: number };
  /** Absent: one. */
  engines?: number;
  /** Absent: nobody waits. */
  batching?: { waitMs: number };
  /** Absent: no answer is remembered. */
  cache?: { forMs: number; bytes: number };
  rollout: {
    steps: readonly { weight: number; forMs: number; requests: number }[];
    undecided: { afterMs: number; then: 'page' | 'continue' | 'rollback' };
    bake: { forMs: number; requests: number };
    stickyBy?: { header: string };
    match?: readonly { header: string; is: string }[];
    /** Percent of the route's requests. */
    shadow?: number;
  };
  objectives: Objectives;
  /** By output, one row each. */
  fallback?: { outputs: Record<string, (number | string)[]> };
}
