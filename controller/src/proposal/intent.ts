import { createHash } from 'node:crypto';
import {
  type CommitSha,
  type EnvironmentName,
  type ModelName,
  OperationId,
  type VersionDigest,
  type VersionLabel,
} from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';
import type { Settled, Subject } from '../rollout/rollout-state.ts';

/** What shall be done to git, and why; plain JSON, kept in the ledger until it is done. */
export type Intent = RollbackIntent | PromotionIntent | RecordIntent;

export interface RollbackIntent {
  kind: 'rollback';
  environment: EnvironmentName;
  model: ModelName;
  from: RevisionSpec;
  to: RevisionSpec;
  /** The commit that brought `from`; a later commit that brings it again is another operation. */
  cause: CommitSha;
  /** One clause: `invalid answers 6.4 % against 0.0 %, after 312 requests`. */
  reason: string;
  evidence: Readonly<Record<string, string | number>>;
  by: string;
}

export interface PromotionIntent {
  kind: 'promotion';
  environment: EnvironmentName;
  model: ModelName;
  version: VersionLabel;
  digest: VersionDigest;
  /** What the environment runs now; null on a first release. */
  replaces: VersionLabel | null;
  from: EnvironmentName;
  /** The head it was decided on; decided again on a later one it is another operation. */
  base: CommitSha;
  reason: string;
  by: string;
}

export interface RecordIntent {
  kind: 'record';
  settled: Settled;
}

/**
 * The same intent has the same id, before and after a crash, so that it is carried out once. Two rollbacks of one
 * revision differ by the commit that brought it.
 */
export function operationId(intent: Intent): OperationId {
  return OperationId.parse(createHash('sha256').update(identity(intent)).digest('hex').slice(0, 16));
}

function identity(intent: Intent): string {
  if (intent.kind === 'record') {
    const { subject, outcome, revision, commit, startedAt } = intent.settled;
    return ['record', subject, outcome, revision.id, commit, startedAt].join(' ');
  }
  const { kind, environment, model } = intent;
  if (kind === 'promotion') return [kind, environment, model, intent.digest, intent.base].join(' ');
  // What was withheld from automation is still open to a person.
  const asked = intent.by === 'controller' ? 'decided' : 'asked';
  return [kind, asked, environment, model, intent.from.id, intent.to.id, intent.cause].join(' ');
}

export function subjectOfIntent(intent: Intent): Subject {
  return intent.kind === 'record' ? intent.settled.subject : `${intent.environment}/${intent.model}`;
}
