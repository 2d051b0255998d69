import type {
  CommitSha,
  EnvironmentName,
  InstanceId,
  LocalTarget,
  ServingSnapshot,
} from '@switchback-ml/schemas';
import type { Routes } from '../rollout/rollout.ts';

/** One planned change: plain data, in the order in which it shall be applied. */
export type Action =
  /** As many runtimes as the target says, and as it says; absent: one. */
  | { kind: 'start-runtime'; environment: EnvironmentName; target?: LocalTarget }
  | { kind: 'stop-runtime'; environment: EnvironmentName; reason: string }
  /** Of several runtimes the one that is named; absent: each. */
  | { kind: 'replace-runtime'; environment: EnvironmentName; instanceId?: InstanceId; reason: string }
  | { kind: 'publish-snapshot'; environment: EnvironmentName; snapshot: ServingSnapshot };
export type Plan = readonly Action[];

export interface PlanInput {
  /** Null: can't be read, so whatever runs and is published there is left alone. */
  target: ReadonlyMap<EnvironmentName, Routes | null>;
  commit: CommitSha;
  /** SHA-256 of each inference key, by environment. */
  keys: ReadonlyMap<EnvironmentName, readonly string[]>;
  /** How git wants the runtimes of an environment; what is not named gets one. Absent: nothing is named. */
  local?: ReadonlyMap<EnvironmentName, LocalTarget>;
  /** Runtimes that are of no use as they are, and why. */
  replace: ReadonlyMap<InstanceId, { environment: EnvironmentName; reason: string }>;
  observed: {
    /** Starting and lost ones too: a lost one is being replaced where it stands. */
    runtimes: readonly { environment: EnvironmentName; instanceId?: InstanceId | null }[];
    /** How they were asked to be; absent where nobody has asked in this life. */
    targets?: ReadonlyMap<EnvironmentName, LocalTarget>;
    published: ReadonlyMap<EnvironmentName, ServingSnapshot>;
  };
}
