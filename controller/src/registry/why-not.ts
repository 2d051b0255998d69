import { EnvironmentName, ModelName, VersionDigest, VersionLabel } from '@switchback-ml/schemas';
import { z } from 'zod';
import { subjectOf } from '../rollout/rollout-state.ts';
import { findEnvironment, findModel, findVersion } from './find.ts';
import { operationStatus } from './operations.ts';
import { gateReasons } from './why-not/gate-reasons.ts';
import {
  changedAt,
  environmentPath,
  promoteCommand,
  type Question,
  Reason,
  unreadable,
  unreadableDeployment,
  type WhyNotInput,
} from './why-not/reason.ts';
import { heldReasons, ruleReasons } from './why-not/rule-reasons.ts';

/** Why a version is not in an environment now; every reason that there is, not only the first. */
export const WhyNot = z.object({
  environment: EnvironmentName,
  model: ModelName,
  version: VersionLabel,
  /** Null: its manifest can't be read. */
  digest: VersionDigest.nullable(),
  /** What git asks for there instead; null: nothing, or nothing that can be read. */
  wanted: VersionLabel.nullable(),
  /** Percent of the requests that it answers there now, as the runtimes say; it is there unless 0. */
  weight: z.number(),
  reasons: z.array(Reason),
});
export type WhyNot = z.infer<typeof WhyNot>;

export interface Asked {
  environment: EnvironmentName;
  model: ModelName;
  version: VersionLabel;
}

/** Throws E_NOT_FOUND with the nearest name for what is nowhere in git. */
export function whyNot(asked: Asked, input: WhyNotInput): WhyNot {
  const { desired } = input;
  const unread = unreadableReason(asked, input);
  if (unread) {
    const weight = weightThere(asked, input, ({ version }) => version === asked.version);
    return { ...asked, digest: null, wanted: null, weight, reasons: [unread] };
  }
  const environment = findEnvironment(desired, asked.environment);
  const model = findModel(desired, asked.model);
  const version = findVersion(desired, asked.model, asked.version);
  const question = { subject: subjectOf(environment.name, model.name), environment, model, version };
  const wanted = environment.deployments.get(model.name)?.wanted ?? null;
  return {
    ...asked,
    digest: version.digest,
    wanted: wanted?.version ?? null,
    weight: weightThere(asked, input, ({ digest }) => digest === version.digest),
    reasons: reasonsOf(question, wanted?.digest === version.digest, input),
  };
}

/** What can't be read is there, and so has a reason; what is not there has none. */
function unreadableReason(asked: Asked, input: WhyNotInput): Reason | null {
  const { environment, model, version } = asked;
  const { desired } = input;
  if (desired.broken.has(environment))
    return unreadable(environmentPath({ name: environment }), 'what runs there stays', input);
  const known = desired.models.get(model);
  if (!known || known.versions.some(({ label }) => label === version)) return null;
  const path = `models/${known.folder}/versions/${version}/version.yaml`;
  if (!desired.problems.some(found => found.severity === 'error' && found.path === path)) return null;
  const weight = weightThere(asked, input, served => served.version === version);
  return unreadable(path, weight > 0 ? 'what runs of it stays' : 'nothing serves it', input);
}

/** As served, and not as wanted: a version that failed, or waits for its files, has no request whatever its weight. */
function weightThere(
  { environment, model }: Asked,
  { served }: WhyNotInput,
  isMeant: (backend: ReturnType<WhyNotInput['served']>[number]) => boolean,
): number {
  const backends = served(subjectOf(environment, model));
  return backends.filter(isMeant).reduce((sum, { weight }) => sum + weight, 0);
}

function reasonsOf(question: Question, isWanted: boolean, input: WhyNotInput): Reason[] {
  const leaving = rollbackReasons(question, input);
  if (isWanted) return [...leaving, ...(leaving.length > 0 ? [] : rolloutReasons(question, input))];
  if (question.environment.promotion.by === 'newest') return [...leaving, ...newestReasons(question, input)];
  const rule = ruleReasons(question, input);
  const gates = gateReasons(question, rule.allowed, input);
  if (rule.allowed === null) return [...leaving, ...rule.reasons, ...gates];
  if (gates.length > 0) return [...leaving, ...gates];
  return [...leaving, ...gitReasons(question, input)];
}

/** Git asks for it; what is still in its way is what its deployment waits for. */
function rolloutReasons({ subject, version }: Question, { waits, states, now }: WhyNotInput): Reason[] {
  const theirs = waits(subject).map(wait => ({ ...wait, kind: 'rollout' as const }));
  const state = states.get(subject);
  const isServed = state?.candidate === null && state.stable?.digest === version.digest;
  if (theirs.length > 0 || isServed) return theirs;
  return [next(`${subject} to take up ${version.label}, which git asks for`, now)];
}

function rollbackReasons({ subject, version }: Question, { open, remote }: WhyNotInput): Reason[] {
  const rollback = open.find(
    ({ subject: other, intent }) =>
      other === subject && intent.kind === 'rollback' && intent.from.digest === version.digest,
  );
  if (rollback?.intent.kind !== 'rollback') return [];
  const { reason } = rollback.intent;
  return operationStatus(rollback, remote).waits.map(wait => ({
    ...wait,
    kind: 'rollback' as const,
    what: `${version.label} is being rolled back (${reason}); ${wait.what}`,
  }));
}

/** Where the newest is served: a hold, a newer one, or a release that pins another. */
function newestReasons(question: Question, input: WhyNotInput): Reason[] {
  const { environment, model, version } = question;
  const { history, now } = input;
  const deployment = environment.deployments.get(model.name);
  const held = heldReasons(question, input);
  if (deployment && deployment.wanted === null)
    return [...held, unreadableDeployment(deployment, question, input)];
  const { wanted = null, releasePath = '' } = deployment ?? {};
  const isPinned = history.paths.get(releasePath)?.at(-1)?.blob != null;
  const newer = model.versions.find(({ digest }) => digest === wanted?.digest);
  if (isPinned)
    return [
      ...held,
      {
        kind: 'pinned',
        what: `${releasePath} pins ${wanted?.version ?? 'another version'}`,
        since: changedAt(releasePath, history, now),
        until: null,
        who: 'a person',
        command: promoteCommand(question),
      },
    ];
  if (held.length > 0) return held;
  return [
    {
      kind: 'newer',
      what: `${environment.name} serves the newest version, which is ${newer?.label ?? 'another'}, not ${version.label}`,
      since: newer?.introducedAt ?? now,
      until: null,
      who: 'a person, who may pin it',
      command: promoteCommand(question),
    },
  ];
}

/** Rule and gates are met: what is left is to write it. */
function gitReasons(question: Question, { open, remote, made, now }: WhyNotInput): Reason[] {
  const { subject, version } = question;
  const promotion = open.find(({ subject: other, kind }) => other === subject && kind === 'promotion');
  if (promotion)
    return operationStatus(promotion, remote).waits.map(wait => ({ ...wait, kind: 'git' as const }));
  if (made)
    return [
      {
        kind: 'git',
        what: `its promotion was ${made.state} before on this very commit and is not made twice`,
        since: made.updatedAt,
        until: null,
        who: 'the next commit, or a person',
        command: promoteCommand(question),
      },
    ];
  return [next(`nothing is in the way of ${version.label}: its promotion is written next`, now)];
}

function next(what: string, now: number): Reason {
  return {
    kind: 'next',
    what,
    since: now,
    until: null,
    who: 'the controller, in its next cycle',
    command: 'switchback events --follow',
  };
}
