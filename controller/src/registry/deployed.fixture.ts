import {
  type Artifact,
  CommitSha,
  EnvironmentName,
  type Hold,
  InstanceId,
  ModelName,
  OperationId,
  type RuntimeObservation,
  type ServingSettings,
  type Verdict,
  VersionDigest,
  VersionLabel,
} from '@switchback-ml/schemas';
import type { ObservedRuntime, ObservedState } from '../actuation/actuation.ts';
import { type ControlState, controlState } from '../control-state.ts';
import type {
  DesiredDeployment,
  DesiredEnvironment,
  DesiredState,
  DesiredVersion,
  RevisionSpec,
} from '../desired/desired-state.ts';
import { revision } from '../desired/identity.ts';
import { effectiveSettings } from '../desired/settings.ts';
import type { OperationState } from '../ledger/ledger.ts';
import type { Heard } from '../observation/observation.ts';
import type { Operation } from '../operation/open-operations.ts';
import type { RepositoryView } from '../repository/view.ts';
import { backendsOf } from '../rollout/rollout.ts';
import type { Candidate, RolloutState } from '../rollout/rollout-state.ts';
import { FirstSeen } from './first-seen.ts';
import type { StatusInput } from './status.ts';

/** One model, three versions, one environment: enough of a world to say a status of. */
export const NOW = 1_780_000_000_000;
export const MINUTE = 60_000;
export const PROD = EnvironmentName.parse('prod');
export const SCREENING = ModelName.parse('screening');
export const SUBJECT = 'prod/screening';
export const HEAD = CommitSha.parse('a'.repeat(40));
export const INSTANCE = InstanceId.parse('11111111-1111-4111-8111-111111111111');
export const RELEASE = 'environments/prod/screening/release.yaml';

export const SETTINGS: ServingSettings = effectiveSettings([
  {
    rollout: {
      canary: {
        steps: [
          { weight: 5, for: 10 * MINUTE, requests: 500 },
          { weight: 50, for: 30 * MINUTE, requests: 5000 },
        ],
      },
    },
  },
]);

export const VERSIONS = ['1.0.0', '1.1.0', '1.2.0'].map(version);
export const [ONE, TWO, THREE] = VERSIONS.map(it => revision(it, SETTINGS)) as [
  RevisionSpec,
  RevisionSpec,
  RevisionSpec,
];

export function version(label: string, index: number): DesiredVersion {
  const hex = (index + 1).toString(16).repeat(64);
  const artifact: Artifact = { sha256: hex as Artifact['sha256'], size: 1000 + index };
  return {
    label: VersionLabel.parse(label),
    digest: VersionDigest.parse(`sha256:${hex}`),
    artifacts: { 'model.onnx': artifact },
    signature: { inputs: {}, outputs: {} },
    evaluation: [{ metric: 'auc', value: 0.9, better: 'higher' }],
    facts: new Set(),
    introducedAt: NOW - 1000 * MINUTE + index,
  };
}

export function desiredWith(
  deployment: Partial<DesiredDeployment> = {},
  environment: Partial<DesiredEnvironment> = {},
): DesiredState {
  const entry: DesiredDeployment = {
    model: SCREENING,
    wanted: TWO,
    holds: [],
    releasePath: RELEASE,
    ...deployment,
  };
  const prod: DesiredEnvironment = {
    name: PROD,
    promotesFrom: [],
    mode: 'act',
    promotion: { by: 'push' },
    gates: {},
    rollback: { write: 'push-else-pull-request', atMost: { count: 2, windowMs: 3_600_000 } },
    freezes: [],
    deployments: new Map([[SCREENING, entry]]),
    ...environment,
  };
  return {
    commit: HEAD,
    environments: new Map([[PROD, prod]]),
    models: new Map([[SCREENING, { name: SCREENING, folder: 'screening', versions: VERSIONS }]]),
    broken: new Set(),
    problems: [],
  };
}

export function rolloutWith(part: Partial<RolloutState> = {}): RolloutState {
  return {
    environment: PROD,
    model: SCREENING,
    stable: TWO,
    candidate: null,
    since: NOW - 60 * MINUTE,
    paused: null,
    halted: null,
    baked: [],
    ...part,
  };
}

export function candidateWith(part: Partial<Candidate> = {}): Candidate {
  return {
    revision: THREE,
    phase: 'canary',
    step: 0,
    stepSince: NOW - 4 * MINUTE,
    stepRequests: 0,
    since: NOW - 4 * MINUTE,
    commit: HEAD,
    trail: [],
    ...part,
  };
}

export function verdictWith(part: Partial<Verdict> = {}): Verdict {
  return { verdict: 'healthy', reason: 'errors 0.0 % against 0.0 %', findings: [], requests: 120, ...part };
}

export function holdOn(spec: RevisionSpec, part: Partial<Hold> = {}): Hold & { path: string } {
  return {
    apiVersion: 'switchback/v1alpha1',
    kind: 'Hold',
    digest: spec.digest,
    reason: 'errors 5.1 % against 0.1 %',
    path: `environments/prod/screening/holds/${spec.version}.yaml`,
    ...part,
  };
}

export function rollbackIn(state: OperationState, result: Operation['result'] = {}): Operation {
  return {
    id: OperationId.parse('0123456789abcdef'),
    kind: 'rollback',
    subject: SUBJECT,
    state,
    intent: {
      kind: 'rollback',
      environment: PROD,
      model: SCREENING,
      from: THREE,
      to: TWO,
      cause: HEAD,
      reason: 'errors 5.1 % against 0.1 %, after 1,204 requests',
      evidence: {},
      by: 'controller',
    },
    result,
    createdAt: NOW - 2 * MINUTE,
    updatedAt: NOW - MINUTE,
  };
}

export interface StatePart extends Partial<Omit<ControlState, 'open'>> {
  rollout?: RolloutState | null;
  verdict?: Verdict;
  open?: Operation[];
}

export function stateWith(part: StatePart = {}): ControlState {
  const { rollout = rolloutWith(), verdict = verdictWith(), open = [], ...rest } = part;
  return {
    ...controlState({ open: open as never, rollouts: new Map(), analyses: new Map() }),
    rollouts: new Map(rollout ? [[SUBJECT, rollout]] : []),
    verdicts: new Map([[SUBJECT, verdict]]),
    desired: desiredWith(),
    head: HEAD,
    ...rest,
  };
}

/** What the runtime of prod says when it has done all that the rollout asks for. */
export function wordOf(rollout: RolloutState, part: Partial<RuntimeObservation> = {}): Heard {
  const backends = backendsOf(rollout);
  const observation: RuntimeObservation = {
    instanceId: INSTANCE,
    environment: PROD,
    pid: 4711,
    startedAt: NOW - 100 * MINUTE,
    at: NOW,
    snapshot: '0'.repeat(16),
    routes: {
      [SCREENING]: {
        generation: '0'.repeat(16),
        backends: backends.map(({ revision: id, version: label, digest, weight }) => ({
          revision: id,
          version: label,
          digest,
          weight,
        })),
      },
    },
    loaded: backends.map(({ revision: id, version: label, digest }) => ({
      model: SCREENING,
      revision: id,
      version: label,
      digest,
      state: 'ready' as const,
      since: NOW - 50 * MINUTE,
    })),
    counts: [],
    ...part,
  };
  return { environment: PROD, observation, heardAt: NOW };
}

export function runtimeWith(part: Partial<ObservedRuntime> = {}): ObservedState {
  const runtime: ObservedRuntime = {
    environment: PROD,
    instanceId: INSTANCE,
    pid: 4711,
    address: 'http://127.0.0.1:4181',
    state: 'running',
    ...part,
  };
  return { runtimes: [runtime], published: new Map() };
}

export function viewWith(part: Partial<RepositoryView> = {}): RepositoryView {
  return {
    head: HEAD,
    subject: 'prod/screening: promote 1.1.0',
    at: NOW - 10 * MINUTE,
    files: new Map(),
    history: { paths: new Map(), texts: new Map(), order: new Map(), commits: new Map() },
    records: [],
    ...part,
  };
}

/** A status input in which nothing is wrong; `state` decides what the runtime says unless told otherwise. */
export function inputWith(part: Partial<StatusInput> = {}): StatusInput {
  const state = part.state ?? stateWith();
  const rollout = state.rollouts.get(SUBJECT);
  return {
    state,
    view: viewWith(),
    contact: { reachedAt: NOW - 500, failure: null },
    observed: runtimeWith(),
    heard: rollout ? [wordOf(rollout)] : [],
    artifactFailures: new Map(),
    repositoryUrl: 'https://git.example/team/models.git',
    branch: 'main',
    address: 'http://127.0.0.1:4180',
    seen: new FirstSeen(),
    now: NOW,
    ...part,
  };
}
