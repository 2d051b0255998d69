import type { CommitSha, OperationId } from '@switchback-ml/schemas';
import type { ControlState } from '../control-state.ts';
import type { DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import { revision } from '../desired/identity.ts';
import { SwitchbackError } from '../error.ts';
import { operationId, type RollbackIntent } from '../proposal/intent.ts';
import { rollbackMessage } from '../proposal/message.ts';
import { rollbackEdits } from '../proposal/rollback-edits.ts';
import type { RepositoryView } from '../repository/view.ts';
import type { PersonRequest } from '../requests.ts';
import { isHeld } from '../rollout/held.ts';
import type { RolloutState, Subject } from '../rollout/rollout-state.ts';
import { weightOf } from '../rollout/step.ts';

export type PersonVerb = 'rollback' | 'abort' | 'pause' | 'resume';

export interface Wish {
  verb: PersonVerb;
  subject: Subject;
  by: string;
  reason: string;
}

/** What a wish comes to, and what the person is told of it. */
export interface Decided {
  /** Null: it is so already. */
  request: PersonRequest | null;
  operation: OperationId | null;
  did: string;
  gitWillSay: string;
  undo: string;
}

interface Known {
  state: Pick<ControlState, 'rollouts' | 'open' | 'desired' | 'head'>;
  history: RepositoryView['history'];
  epoch: number;
  now: number;
}

/** Throws E_NOT_FOUND, E_CONFLICT or E_NO_LAST_GOOD where the wish can't be met, with what can be done instead. */
export function decide(wish: Wish, known: Known): Decided {
  const { subject, verb } = wish;
  const rollout = known.state.rollouts.get(subject);
  const { desired, head } = known.state;
  if (!rollout || !desired || !head) {
    const message = `There is no deployment ${subject}. "switchback status" lists those that there are.`;
    throw new SwitchbackError('E_NOT_FOUND', message);
  }
  if (verb === 'pause') return pause(wish, rollout);
  if (verb === 'resume') return resume(wish, rollout);
  return goBack(wish, rollout, { ...known, desired, head });
}

function pause({ subject, by, reason }: Wish, { candidate, paused }: RolloutState): Decided {
  if (!candidate) {
    const message = `No rollout is under way in ${subject}, so there is nothing to pause. Freeze the environment to keep new ones out.`;
    throw new SwitchbackError('E_CONFLICT', message);
  }
  const { version } = candidate.revision;
  return {
    request: paused ? null : { kind: 'pause', subject, by, reason },
    operation: null,
    did: paused
      ? `${subject} was paused already, by ${paused.by}: ${paused.reason}`
      : `${version} stays at ${weightOf(candidate)} % in ${subject}; if it turns out bad it is still rolled back`,
    gitWillSay: 'nothing: a pause is kept by the controller, and the next version ends it',
    undo: `switchback resume ${subject} --reason …`,
  };
}

function resume({ subject, by, reason }: Wish, { paused }: RolloutState): Decided {
  return {
    request: paused ? { kind: 'resume', subject, by, reason } : null,
    operation: null,
    did: paused ? `${subject} goes on` : `${subject} was not paused`,
    gitWillSay: 'nothing: a pause is kept by the controller',
    undo: `switchback pause ${subject} --reason …`,
  };
}

type Resolved = Known & { desired: DesiredState; head: CommitSha };

function goBack(wish: Wish, rollout: RolloutState, known: Resolved): Decided {
  const { verb, subject } = wish;
  const open = known.state.open.list().find(it => it.subject === subject && it.kind === 'rollback');
  if (open?.intent.kind === 'rollback') return told(open.intent, null, known);
  if (verb === 'abort' && !rollout.candidate) {
    const message = `No rollout is under way in ${subject}, so there is nothing to abort. To leave what runs now: switchback rollback ${subject} --reason …`;
    throw new SwitchbackError('E_CONFLICT', message);
  }
  const intent = rollbackIntent(wish, rollout, known);
  return told(intent, { kind: 'intend', intent }, known);
}

function rollbackIntent(
  { subject, by, reason }: Wish,
  rollout: RolloutState,
  known: Resolved,
): RollbackIntent {
  const { environment, model, candidate, stable } = rollout;
  const from = candidate?.revision ?? stable;
  const to = candidate ? stable : stable && earlierGood(rollout, stable, known);
  if (!from || !to) {
    const message = `${subject} has no earlier version that was good there, so there is nothing to go back to: it goes on with ${from?.version ?? 'what it has'}. Promote a better version, or remove its release to stop serving it.`;
    throw new SwitchbackError('E_NO_LAST_GOOD', message);
  }
  const cause = candidate?.commit ?? known.head;
  return { kind: 'rollback', environment, model, from, to, cause, reason, evidence: {}, by };
}

/**
 * The newest revision that baked here before the one that is stable now, with the settings that hold now: what it
 * ran with then is not kept. One that a hold names, or whose version has left git, is passed over.
 */
function earlierGood(
  { environment, model, baked }: RolloutState,
  stable: RevisionSpec,
  { desired, now }: Resolved,
): RevisionSpec | null {
  const own = baked.findIndex(({ id }) => id === stable.id);
  const earlier = own < 0 ? baked : baked.slice(0, own);
  const deployment = desired.environments.get(environment)?.deployments.get(model);
  const settings = deployment?.wanted?.settings ?? stable.settings;
  const versions = desired.models.get(model)?.versions ?? [];
  return (
    earlier
      .flatMap(({ digest }) => versions.filter(version => version.digest === digest))
      .filter(({ digest }) => digest !== stable.digest)
      .map(version => revision(version, settings))
      .findLast(spec => !isHeld(spec, deployment?.holds ?? [], now)) ?? null
  );
}

function told(intent: RollbackIntent, request: PersonRequest | null, known: Resolved): Decided {
  const { environment, model, from, to } = intent;
  const subject = `${environment}/${model}`;
  const operation = operationId(intent);
  const going = request ? 'goes' : 'is already on its way';
  return {
    request,
    operation,
    did: `the traffic of ${subject} ${going} back from ${from.version} to ${to.version}`,
    gitWillSay: commitSubject(intent, operation, known),
    undo: `git revert that commit: it lifts the hold and brings ${from.version} back`,
  };
}

/** The first line of the commit, as far as can be known before it is made. */
function commitSubject(intent: RollbackIntent, operation: OperationId, known: Resolved): string {
  const { desired, history, epoch } = known;
  const { kind } = rollbackEdits(intent, desired, history);
  if (kind === 'nothing') return 'nothing: git has it already';
  const how = { reverts: null, note: null, holdOnly: kind === 'hold' };
  const [subject = ''] = rollbackMessage(intent, { operation, epoch }, how).split('\n');
  const policy = desired.environments.get(intent.environment);
  const isProposed = policy?.mode === 'propose' || policy?.rollback.write === 'pull-request';
  return isProposed ? `${subject} (on a branch, for a person to merge)` : subject;
}
