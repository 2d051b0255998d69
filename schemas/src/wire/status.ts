import { z } from 'zod';
import { CommitSha, EnvironmentName, ModelName, OperationId, RevisionId, VersionLabel } from '../identity.ts';
import { Mode } from '../manifest/environment.ts';
import { Verdict } from './verdict.ts';

/** Every wait answers the same five questions, in CLI, page and proposal alike. */
export const Wait = z.object({
  what: z.string(),
  since: z.number(),
  /** Null: no deadline. */
  until: z.number().nullable(),
  who: z.string(),
  command: z.string(),
});
export type Wait = z.infer<typeof Wait>;

/** A named boolean claim about a thing. `since` changes only when `status` does. */
export const Condition = z.object({
  type: z.enum(['Ready', 'Reconciling', 'Stalled', 'Held', 'RevertPending', 'Frozen', 'Diverged']),
  status: z.boolean(),
  reason: z.string(),
  message: z.string(),
  since: z.number(),
});
export type Condition = z.infer<typeof Condition>;

export const RolloutPhase = z.enum(['steady', 'canary', 'baking', 'undecided', 'rolling-back', 'halted']);
export type RolloutPhase = z.infer<typeof RolloutPhase>;

export const DeploymentStatus = z.object({
  model: ModelName,
  /** What git asks for; null once undeployed. */
  version: VersionLabel.nullable(),
  phase: RolloutPhase,
  backends: z.array(
    z.object({
      version: VersionLabel,
      revision: RevisionId,
      weight: z.number(),
      role: z.enum(['stable', 'candidate']),
      state: z.enum(['pulling', 'loading', 'ready', 'failed', 'unknown']),
      failure: z.string().optional(),
    }),
  ),
  verdict: Verdict.nullable(),
  paused: z.boolean(),
  waits: z.array(Wait),
  conditions: z.array(Condition),
});
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;

/** `prod.1`: one of the runtimes of an environment, for people. No environment's name holds a dot. */
export function runtimeName(environment: EnvironmentName, replica: number): string {
  return `${environment}.${replica}`;
}

/** One of the runtimes of an environment. */
export const RuntimeStatus = z.object({
  /** `prod.1` */
  name: z.string(),
  /** Which of them it is, from 0. */
  replica: z.int().min(0),
  /** Where it alone answers, also with its `/metrics`. */
  address: z.string(),
  state: z.enum(['starting', 'running', 'lost']),
  pid: z.int().nullable(),
});
export type RuntimeStatus = z.infer<typeof RuntimeStatus>;

export const EnvironmentStatus = z.object({
  name: EnvironmentName,
  mode: Mode,
  promotesFrom: z.array(EnvironmentName),
  /** Where requests go; null while no runtime runs. */
  address: z.string().nullable(),
  /** Where requests over gRPC go; absent where it is not spoken. */
  grpcAddress: z.string().optional(),
  /** Each of them, in their order. */
  runtimes: z.array(RuntimeStatus).optional(),
  deployments: z.array(DeploymentStatus),
});
export type EnvironmentStatus = z.infer<typeof EnvironmentStatus>;

export const OperationStatus = z.object({
  id: OperationId,
  kind: z.enum(['rollback', 'promotion', 'record']),
  subject: z.string(),
  state: z.string(),
  since: z.number(),
  summary: z.string(),
  waits: z.array(Wait),
});
export type OperationStatus = z.infer<typeof OperationStatus>;

export const Problem = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  path: z.string(),
  line: z.int().optional(),
  field: z.string().optional(),
  /** What is wrong, and what to do. */
  message: z.string(),
  remedy: z.string(),
});
export type Problem = z.infer<typeof Problem>;

export const Status = z.object({
  at: z.number(),
  address: z.string(),
  repository: z.object({
    url: z.string(),
    branch: z.string(),
    commit: z.string().nullable(),
    subject: z.string().nullable(),
    /** Milliseconds since the remote was last reached. */
    ageMs: z.number().nullable(),
    failure: z.string().nullable(),
    /** Since when. */
    failingSince: z.number().optional(),
    /** A history that nobody has accepted: nothing is taken from git, and nothing written, until somebody does. */
    rewritten: z.object({ ref: z.string(), before: CommitSha, after: CommitSha }).optional(),
  }),
  environments: z.array(EnvironmentStatus),
  operations: z.array(OperationStatus),
  problems: z.array(Problem),
});
export type Status = z.infer<typeof Status>;
