import { CommitSha } from '@switchback-ml/schemas';
import type { DesiredDeployment, DesiredVersion, RevisionSpec } from '../desired/desired-state.ts';
import { revision } from '../desired/identity.ts';
import { SwitchbackError } from '../error.ts';
import type { RollbackIntent } from '../proposal/intent.ts';
import { settledFrom } from '../proposal/records.ts';
import { pastReleases, settingCommit } from '../proposal/release-history.ts';
import { rollbackEdits } from '../proposal/rollback-edits.ts';
import { findDeployment, findEnvironment, findModel } from '../registry/find.ts';
import { isHeld } from '../rollout/held.ts';
import type { DeploymentAddress } from './address.ts';
import { NoController } from './controller/management.ts';
import type { Outcome } from './outcome.ts';
import { steer } from './steer.ts';
import { subjectLine } from './workspace/message.ts';
import { changeRepository, type GitOptions } from './workspace/open.ts';
import type { Look } from './workspace/workspace.ts';
import type { Planned } from './workspace/write.ts';

export interface RollbackRequest extends DeploymentAddress {
  reason?: string | undefined;
}

/**
 * Back to the last good version. A running controller moves the traffic first and writes git after; without one
 * the commit is made here, and whoever serves follows it. Throws E_NO_LAST_GOOD.
 */
export async function rollback(request: RollbackRequest, options: GitOptions): Promise<Outcome> {
  const asked = options.repo === undefined ? await askController(request, options) : null;
  if (asked) return asked;
  return changeRepository(options, (look, { person }) => planRollback(look, request, person.name));
}

/** Null when no controller answers. */
async function askController(request: RollbackRequest, options: GitOptions): Promise<Outcome | null> {
  try {
    return await steer('rollback', request, options);
  } catch (error) {
    if (error instanceof NoController) return null;
    throw error;
  }
}

export function planRollback({ view, desired, now }: Look, request: RollbackRequest, by: string): Planned {
  const environment = findEnvironment(desired, request.environment);
  const deployment = findDeployment(environment, request.model);
  const subject = `${environment.name}/${request.model}`;
  const from = deployment.wanted;
  if (from === null)
    throw new SwitchbackError(
      'E_NO_LAST_GOOD',
      `What ${subject} runs can not be read from git, so there is nothing to go back from. Run: switchback validate`,
    );
  const to = lastGood({ view, desired, now }, subject, deployment, from);
  if (to === null)
    throw new SwitchbackError(
      'E_NO_LAST_GOOD',
      `${subject} has no earlier version that is not on hold. Promote one: switchback promote ${request.model}@<version> ${environment.name}`,
    );
  const cause = settingCommit(deployment.releasePath, from.version, view.history)?.commit ?? view.head;
  const intent: RollbackIntent = {
    kind: 'rollback',
    environment: environment.name,
    model: request.model,
    from,
    to,
    cause: CommitSha.parse(cause),
    reason: request.reason ?? 'a person rolled it back',
    evidence: {},
    by,
  };
  return plannedEdits(intent, rollbackEdits(intent, desired, view.history));
}

function plannedEdits(intent: RollbackIntent, planned: ReturnType<typeof rollbackEdits>): Planned {
  const { environment, model, from, to, reason } = intent;
  const subject = `${environment}/${model}`;
  if (planned.kind === 'nothing')
    return { kind: 'nothing', said: `${subject} has left ${from.version} already, and it is on hold.` };
  const restored = planned.kind === 'restore' ? planned : null;
  const head = restored ? `${subject}: back to ${to.version}` : `${subject}: ${from.version} on hold`;
  return {
    kind: 'change',
    edits: planned.edits,
    subject: subjectLine(head, reason, restored ? `, ${from.version} on hold` : ''),
    paragraphs: [
      ...(restored?.reverts ? [`This reverts commit ${restored.reverts}.`] : []),
      `${from.version} was found bad in ${environment}: ${reason}`,
      ...(restored?.note ? [restored.note] : []),
      'To lift the hold, delete its file or revert this commit.',
    ],
    did: `${subject} goes from ${from.version} back to ${to.version}; ${from.version} is on hold there.`,
    undo: commit => `git revert ${commit.slice(0, 12)}`,
  };
}

/**
 * The newest version that ran there before and is not on hold: one that git records as baked if there is any, else
 * the newest former release; where releases are not written, the newest registered before.
 */
function lastGood(
  { view, desired, now }: Pick<Look, 'view' | 'desired' | 'now'>,
  subject: string,
  deployment: DesiredDeployment,
  from: RevisionSpec,
): RevisionSpec | null {
  const { versions } = findModel(desired, deployment.model);
  const isGood = ({ digest }: DesiredVersion): boolean =>
    digest !== from.digest && !isHeld({ digest, settingsDigest: null }, deployment.holds, now);
  const former = pastReleases(deployment.releasePath, view.history)
    .map(({ version: label }) => versions.find(version => version.label === label))
    .filter(version => version !== undefined);
  const before = versions.slice(
    0,
    Math.max(
      0,
      versions.findIndex(({ digest }) => digest === from.digest),
    ),
  );
  const baked = bakedDigests(view.records, subject);
  const isReleased = former.length > 0;
  const good = (isReleased ? former : before).filter(isGood);
  const to = good.findLast(({ digest }) => baked.has(digest)) ?? good.at(-1);
  return to ? revision(to, from.settings) : null;
}

function bakedDigests(records: Look['view']['records'], subject: string): Set<string> {
  const settled = records.map(({ body }) => settledFrom(body)).filter(record => record !== null);
  const baked = settled.filter(record => record.subject === subject && record.outcome === 'baked');
  return new Set(baked.map(record => record.revision.digest));
}
