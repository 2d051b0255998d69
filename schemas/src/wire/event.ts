import { z } from 'zod';
import { CommitSha, OperationId } from '../identity.ts';

/** What can happen, one word each; data's shape goes with the type and is documented in docs/reference/events.md. */
export const EventType = z.enum([
  'controller.started',
  'controller.stopped',
  'commit.seen',
  'history.rewritten',
  'history.accepted',
  'manifest.refused',
  'runtime.started',
  'runtime.adopted',
  'runtime.lost',
  'runtime.stopped',
  'engine.replaced',
  'artifact.missing',
  'artifact.found',
  'divergence.found',
  'divergence.healed',
  'rollout.started',
  'rollout.stepped',
  'rollout.promoted',
  'rollout.baked',
  'rollout.superseded',
  'rollout.undecided',
  'rollout.paused',
  'rollout.resumed',
  'rollout.recovered',
  'rollout.halted',
  'traffic.shifted',
  'verdict.degraded',
  'verdict.recovered',
  'verdict.page',
  'operation.intended',
  'operation.moved',
  'operation.pushed',
  'operation.done',
  'operation.superseded',
  'operation.refused',
  'operation.withheld',
]);
export type EventType = z.infer<typeof EventType>;

/** One line of the append-only event log, the only write path. */
export const Event = z.object({
  seq: z.int().positive(),
  at: z.number(),
  type: EventType,
  /** `prod/screening`, `prod`, or `controller`. */
  subject: z.string(),
  /** `controller`, or the person as far as known. */
  actor: z.string(),
  operation: OperationId.optional(),
  commit: CommitSha.optional(),
  data: z.record(z.string(), z.unknown()),
});
export type Event = z.infer<typeof Event>;
export type NewEvent = Omit<Event, 'seq'>;
