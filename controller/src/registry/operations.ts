import type { OperationStatus, Wait } from '@switchback-ml/schemas';
import type { Operation } from '../operation/open-operations.ts';
import type { Intent } from '../proposal/intent.ts';
import type { Surroundings } from './deployment.ts';

type Remote = Pick<Surroundings, 'branch' | 'remoteFailure'>;

/** An operation as a person sees it. `since`: when it got where it is. */
export function operationStatus(operation: Operation, remote: Remote): OperationStatus {
  const { id, kind, subject, state, updatedAt, intent } = operation;
  const waits = kind === 'rollback' ? [revertWait(operation, remote)] : [gitWait(operation, remote)];
  return { id, kind, subject, state, since: updatedAt, summary: summaryOf(intent), waits };
}

/** What a rollback still waits for: traffic first, then git. */
export function revertWait(operation: Operation, remote: Remote): Wait {
  if (operation.state !== 'intended') return gitWait(operation, remote);
  return {
    what: `${operation.subject}: all traffic back to the last good revision`,
    since: operation.updatedAt,
    until: null,
    who: 'the controller',
    command: `switchback status`,
  };
}

function gitWait(operation: Operation, { branch, remoteFailure }: Remote): Wait {
  const { subject, state, result, updatedAt: since } = operation;
  const change = { rollback: 'the revert', promotion: 'the promotion', record: 'the record' }[operation.kind];
  const command = 'switchback status';
  if (state === 'refused' && result.branch)
    return {
      what: `${subject}: ${change} is on branch ${result.branch}, ${result.reason ?? 'for a person to merge'}`,
      since,
      until: null,
      who: `whoever may push to ${branch}`,
      command: `git fetch origin && git merge origin/${result.branch} && git push`,
    };
  if (state === 'refused')
    return {
      what: `${subject}: the remote refuses ${change}: ${result.reason ?? 'it gave no reason'}`,
      since,
      until: null,
      who: 'whoever may push there, or may let the controller push',
      command: 'git push',
    };
  if (remoteFailure)
    return {
      what: `${subject}: ${change} is not in git yet, the remote can't be reached: ${remoteFailure}`,
      since,
      until: null,
      who: 'the remote, or whoever runs it',
      command: 'git ls-remote',
    };
  const what =
    state === 'pushed'
      ? `${subject}: ${change} is pushed and not yet seen at ${branch}`
      : `${subject}: ${change} is not in git yet`;
  return { what, since, until: null, who: 'the controller', command };
}

function summaryOf(intent: Intent): string {
  switch (intent.kind) {
    case 'rollback':
      return `${intent.environment}/${intent.model} back from ${intent.from.version} to ${intent.to.version}: ${intent.reason}`;
    case 'promotion':
      return `${intent.environment}/${intent.model}: promote ${intent.version}, ${intent.reason}`;
    case 'record': {
      const { subject, revision, outcome } = intent.settled;
      return `${subject}: write to the history that ${revision.version} was ${outcome.replace('-', ' ')}`;
    }
  }
}
