import {
  ArtifactDigest,
  type Breach,
  type CommitSha,
  type EnvironmentName,
  type Finding,
  type Hold,
  type ModelName,
  type OperationId,
  type ServingPart,
  type Verdict,
  type VerdictKind,
  type VersionLabel,
} from '@switchback-ml/schemas';
import type { DesiredDeployment, DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import { revision, sha256Hex, versionDigest } from '../desired/identity.ts';
import { effectiveSettings } from '../desired/settings.ts';
import type { OpenRollback, RolloutState, Settled } from './rollout-state.ts';

export const PROD = 'prod' as EnvironmentName;
export const FRAUD = 'fraud' as ModelName;
export const COMMIT = 'c'.repeat(40) as CommitSha;
export const OPERATION = '0123456789abcdef' as OperationId;
export const MINUTE = 60_000;
export const START = 1_760_000_000_000;

/** 10 % for a minute and ten requests, 50 % for two minutes and twenty; baked after one minute and five. */
export const CANARY: ServingPart = {
  rollout: {
    canary: {
      steps: [
        { weight: 10, for: MINUTE, requests: 10 },
        { weight: 50, for: 2 * MINUTE, requests: 20 },
      ],
      undecided: { after: 10 * MINUTE, then: 'page' },
    },
    bake: { for: MINUTE, requests: 5 },
  },
};

/** A revision; the same version and parts are the same one. */
export function specOf(version: string, ...parts: ServingPart[]): RevisionSpec {
  const artifact = (name: string) => ({
    sha256: ArtifactDigest.parse(sha256Hex(`${name} ${version}`)),
    size: 100,
  });
  const artifacts = { 'model.onnx': artifact('model'), 'golden.json': artifact('golden') };
  const signature = {
    inputs: { features: { datatype: 'FP32' as const, shape: [-1, 30] } },
    outputs: { score: { datatype: 'FP32' as const, shape: [-1, 1] } },
  };
  const digest = versionDigest(artifacts, signature);
  const label = version as VersionLabel;
  return revision({ label, digest, artifacts, signature }, effectiveSettings([CANARY, ...parts]));
}

export function verdictOf(
  verdict: VerdictKind,
  requests: number,
  {
    breach = 'rollback',
    reason = 'errors 5.1 % against 0.1 %, after 312 requests',
  }: { breach?: Breach; reason?: string } = {},
): Verdict {
  const finding: Finding = {
    objective: 'available',
    verdict,
    breach,
    reason,
    candidate: { bad: verdict === 'degraded' ? requests : 0, total: requests },
    stable: { bad: 0, total: requests },
    test: 'sequential',
  };
  return { verdict, reason, requests, findings: [finding], ...(verdict === 'degraded' ? { breach } : {}) };
}

export function stateOf(part: Partial<RolloutState> = {}): RolloutState {
  return {
    environment: PROD,
    model: FRAUD,
    stable: null,
    candidate: null,
    since: START,
    paused: null,
    halted: null,
    baked: [],
    ...part,
  };
}

/** A deployment that has been serving this one, and nothing else, for long. */
export function steadyOn(stable: RevisionSpec, ...baked: RevisionSpec[]): RolloutState {
  const remembered = [...baked, stable].map(({ id, digest, version }) => ({
    id,
    digest,
    version,
    at: START,
  }));
  return stateOf({ stable, baked: remembered });
}

export function settledOf(
  outcome: Settled['outcome'],
  spec: RevisionSpec,
  part: Partial<Settled> = {},
): Settled {
  return {
    subject: 'prod/fraud',
    outcome,
    revision: spec,
    stable: null,
    commit: COMMIT,
    startedAt: START,
    at: START + MINUTE,
    trail: [],
    verdict: null,
    ...part,
  };
}

export function openRollback(from: RevisionSpec, to: RevisionSpec): OpenRollback {
  return { operation: OPERATION, subject: 'prod/fraud', from, to };
}

export function holdOf({ digest }: RevisionSpec, part: Partial<Hold> = {}): Hold & { path: string } {
  const path = 'environments/prod/fraud/holds/x.yaml';
  return { apiVersion: 'switchback/v1alpha1', kind: 'Hold', digest, reason: 'found bad', path, ...part };
}

/** One environment with one deployment, readable or not. */
export function desiredOf(
  wanted: RevisionSpec | null,
  { holds = [], isBroken = false }: { holds?: DesiredDeployment['holds']; isBroken?: boolean } = {},
): DesiredState {
  const deployment: DesiredDeployment = {
    model: FRAUD,
    wanted,
    holds,
    releasePath: 'environments/prod/fraud/release.yaml',
  };
  const environment = {
    name: PROD,
    promotesFrom: [],
    mode: 'act' as const,
    promotion: { by: 'push' as const },
    gates: {},
    rollback: { write: 'push' as const, atMost: { count: 2, windowMs: 60 * MINUTE } },
    freezes: [],
    deployments: new Map([[FRAUD, deployment]]),
  };
  return {
    commit: COMMIT,
    environments: isBroken ? new Map() : new Map([[PROD, environment]]),
    models: new Map(),
    broken: new Set(isBroken ? [PROD] : []),
    problems: [],
  };
}
