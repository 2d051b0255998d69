import { z } from 'zod';
import { EnvironmentName } from '../identity.ts';
import { Duration, Rate, Size } from '../scalars.ts';
import { manifest, Text } from './envelope.ts';
import { ServingPart } from './serving.ts';

const MIB = 2 ** 20;

/** observe: say what would be done. propose: leave it to a person as a branch. act: do it. */
export const Mode = z.enum(['observe', 'propose', 'act']);
export type Mode = z.infer<typeof Mode>;

export const Soak = z.strictObject({ for: Duration.optional(), requests: z.int().positive().optional() });

export const Gates = z.strictObject({
  /** How long, and over how many requests, a release has been served upstream; from deploy time, not commit time. */
  soak: Soak.optional(),
  /** No metric of the newcomer may be worse than the present release's by more than this. */
  evaluation: z.record(z.string().max(100), z.strictObject({ worseBy: z.number().nonnegative() })).optional(),
  /** Facts a version must carry: `golden`, `compatible-signature`, or a path into version.yaml. */
  require: z
    .array(z.string().regex(/^[a-z][-.a-zA-Z]{0,80}$/))
    .max(20)
    .optional(),
});
export type Gates = z.infer<typeof Gates>;

export const Promotion = z.discriminatedUnion('by', [
  /** Serves the newest registered version, with no commit. */
  z.strictObject({ by: z.literal('newest') }),
  /** When the gates hold, the controller commits the release to the branch itself. */
  z.strictObject({ by: z.literal('push') }),
  /** When the gates hold, the controller opens a pull request. */
  z.strictObject({
    by: z.literal('pull-request'),
    merge: z.enum(['person', 'automation']).default('person'),
    approvals: z.int().min(0).max(20).default(1),
  }),
  /** Nobody but a person promotes. */
  z.strictObject({ by: z.literal('person') }),
]);
export type Promotion = z.infer<typeof Promotion>;

/** How an environment is run on the controller's own machine. */
export const LocalTarget = z.strictObject({
  /** Whole runtimes, each with engines of its own, that listen on the environment's one address. */
  runtimes: z.int().min(1).max(16).default(1),
  /** Of answers that each runtime remembers, in bytes; read from a size. */
  cacheMemory: Size.refine(
    bytes => bytes >= MIB && bytes <= 2 ** 18 * MIB,
    'must be from 1Mi to 256Gi',
  ).prefault('64Mi'),
  /** Whether the runtimes speak gRPC as well, on a second port of the environment. */
  grpc: z.boolean().default(false),
});
export type LocalTarget = z.infer<typeof LocalTarget>;

/** `environments/<environment>/environment.yaml`. */
export const Environment = manifest('Environment', {
  description: Text.optional(),
  promotesFrom: z
    .union(
      [EnvironmentName, z.array(EnvironmentName).min(1)],
      'must be the name of an environment, or a list of names',
    )
    .optional(),
  target: z.strictObject({ local: LocalTarget }),
  mode: Mode.default('propose'),
  promotion: Promotion,
  gates: Gates.optional(),
  rollback: z
    .strictObject({
      write: z.enum(['push', 'push-else-pull-request', 'pull-request']).default('push-else-pull-request'),
      atMost: Rate.default({ count: 2, windowMs: 3_600_000 }),
    })
    .optional(),
  defaults: ServingPart.optional(),
});
export type Environment = z.infer<typeof Environment>;
