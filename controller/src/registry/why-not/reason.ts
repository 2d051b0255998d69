import { type Instant, type ServedBackend, Wait } from '@switchback-ml/schemas';
import { z } from 'zod';
import type {
  DesiredDeployment,
  DesiredEnvironment,
  DesiredModel,
  DesiredState,
  DesiredVersion,
  RepositoryHistory,
} from '../../desired/desired-state.ts';
import type { OperationRecord } from '../../ledger/ledger.ts';
import type { Operation } from '../../operation/open-operations.ts';
import type { PromotionInput } from '../../proposal/promotion-case.ts';
import type { subjectOf } from '../../rollout/rollout-state.ts';

/**
 * unreadable: a manifest. held, ran-before, not-upstream, upstream (there, not baked), other-first, halted: the
 * promotion rule. mode, by-person, no-upstream: the environment's policy. frozen, gate: what a promotion waits for.
 * newer, pinned: where the newest is served. rollback, rollout: it is on its way out, or in. git: its promotion is
 * being written. next: nothing, it comes with the next cycle.
 */
export const REASON_KINDS = [
  'unreadable',
  'held',
  'ran-before',
  'no-upstream',
  'not-upstream',
  'upstream',
  'other-first',
  'halted',
  'mode',
  'by-person',
  'frozen',
  'gate',
  'newer',
  'pinned',
  'rollback',
  'rollout',
  'git',
  'next',
] as const;

/** One reason, as the five questions of every wait. */
export const Reason = Wait.extend({ kind: z.enum(REASON_KINDS) });
export type Reason = z.infer<typeof Reason>;

export interface WhyNotInput extends PromotionInput {
  open: readonly Operation[];
  /** What the runtimes say they answer from, of a deployment; none where nobody was heard. */
  served: (subject: string) => readonly Pick<ServedBackend, 'digest' | 'version' | 'weight'>[];
  /** What a deployment waits for, as status says it. */
  waits: (subject: string) => readonly Wait[];
  /** For the words of an operation: the branch, and why the remote can't be reached now. */
  remote: { branch: string; remoteFailure: string | null };
  /** The record of the promotion that the rule asks for now, if it was made before; null: it was not. */
  made: Pick<OperationRecord, 'state' | 'updatedAt'> | null;
}

/** One version that may or may not be in one environment. */
export interface Question {
  /** `prod/screening` */
  subject: ReturnType<typeof subjectOf>;
  environment: DesiredEnvironment;
  model: DesiredModel;
  version: DesiredVersion;
}

/** Since when something stands in git as it does. */
export function changedAt(path: string, history: RepositoryHistory, now: Instant): Instant {
  return history.paths.get(path)?.at(-1)?.at ?? now;
}

export function environmentPath({ name }: Pick<DesiredEnvironment, 'name'>): string {
  return `environments/${name}/environment.yaml`;
}

/** How a person brings it there, whatever automation thinks. */
export function promoteCommand({ environment, model, version }: Question): string {
  return `switchback promote ${model.name}@${version.label} ${environment.name} --reason …`;
}

/** A manifest that can't be read, with the first thing that is wrong in it. */
export function unreadable(
  path: string,
  stays: string,
  { desired, history, now }: { desired: DesiredState; history: RepositoryHistory; now: Instant },
): Reason {
  const problem = desired.problems.find(found => found.severity === 'error' && found.path === path);
  const place = problem?.line === undefined ? path : `${path}:${problem.line}`;
  const said = problem?.message.replace(`${place} `, '').replace(`${path} `, '');
  return {
    kind: 'unreadable',
    what: `${place} can not be read, and ${stays}${problem ? `: ${said}. ${problem.remedy}` : ''}`,
    since: changedAt(path, history, now),
    until: null,
    who: `whoever changed ${path}`,
    command: 'switchback validate',
  };
}

/** A deployment of which git asks something that can't be read: its release, or one of its settings. */
export function unreadableDeployment(
  { releasePath }: Pick<DesiredDeployment, 'releasePath'>,
  { subject, model }: Question | { subject: string; model: DesiredModel },
  input: Parameters<typeof unreadable>[2],
): Reason {
  const folder = releasePath.slice(0, -'release.yaml'.length);
  const parts = [releasePath, `${folder}serving.yaml`, `models/${model.folder}/serving.yaml`];
  const errors = input.desired.problems.filter(({ severity }) => severity === 'error');
  const path =
    parts.find(part => errors.some(found => found.path === part)) ??
    // Where the newest is served, one of the versions may be in the way.
    errors.find(found => found.path.startsWith(`models/${model.folder}/versions/`))?.path ??
    releasePath;
  return unreadable(path, `what ${subject} runs stays`, input);
}
