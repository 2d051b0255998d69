import type { CommitSha, EnvironmentName, ServingSnapshot } from '@switchback-ml/schemas';
import type { Routes } from '../rollout/rollout.ts';

/** One planned change: plain data, in the order in which it shall be applied. */
export type Action =
  | { kind: 'start-runtime'; environment: EnvironmentName }
  | { kind: 'stop-runtime'; environment: EnvironmentName; reason: string }
  | { kind: 'replace-runtime'; environment: EnvironmentName; reason: string }
  | { kind: 'publish-snapshot'; environment: EnvironmentName; snapshot: ServingSnapshot };
export type Plan = readonly Action[];

export interface PlanInput {
  /** Null: can't be read, so whatever runs and is published there is left alone. */
  target: ReadonlyMap<EnvironmentName, Routes | null>;
  commit: CommitSha;
  /** SHA-256 of each inference key, by environment. */
  keys: ReadonlyMap<EnvironmentName, readonly string[]>;
  /** Runtimes that are of no use as they are, and why. */
  replace: ReadonlyMap<EnvironmentName, string>;
  observed: {
    /** Starting and lost ones too: a lost one is being replaced where it stands. */
    runtimes: readonly { environment: EnvironmentName }[];
    published: ReadonlyMap<EnvironmentName, ServingSnapshot>;
  };
}
