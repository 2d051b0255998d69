import type { EnvironmentName, Freeze, Instant, ModelName } from '@switchback-ml/schemas';
import type { DesiredEnvironment, DesiredState, DesiredVersion } from '../desired/desired-state.ts';
import { SwitchbackError } from '../error.ts';
import { promotionEdits } from '../proposal/promotion-edits.ts';
import { findEnvironment, findVersion } from '../registry/find.ts';
import { isHeld } from '../rollout/held.ts';
import type { VersionAddress } from './address.ts';
import type { Outcome } from './outcome.ts';
import { subjectLine } from './workspace/message.ts';
import { changeRepository, type GitOptions } from './workspace/open.ts';
import type { Look } from './workspace/workspace.ts';
import type { Planned } from './workspace/write.ts';

export interface PromoteRequest extends VersionAddress {
  environment: EnvironmentName;
  reason?: string | undefined;
}

/**
 * Makes a version the release of an environment, by a person's own commit: gates bind automation alone, holds and
 * freezes bind everybody. Throws E_HELD, E_FROZEN, E_NOT_FOUND.
 */
export async function promote(request: PromoteRequest, options: GitOptions): Promise<Outcome> {
  return changeRepository(options, (look, { person }) => planPromotion(look, request, person.name));
}

export function planPromotion({ view, desired, now }: Look, request: PromoteRequest, by: string): Planned {
  const { model, version: label, reason } = request;
  const environment = findEnvironment(desired, request.environment);
  const version = findVersion(desired, model, label);
  const present = environment.deployments.get(model)?.wanted ?? null;
  const subject = `${environment.name}/${model}`;
  refuseHeld(environment, request, version, now);
  refuseFrozen(environment, request, now);

  const intent = {
    kind: 'promotion' as const,
    environment: environment.name,
    model,
    version: label,
    digest: version.digest,
    replaces: present?.version ?? null,
    from: environment.promotesFrom[0] ?? environment.name,
    base: desired.commit,
    reason: reason ?? `promoted by ${by}`,
    by,
  };
  const edits = promotionEdits(intent, desired, view.history);
  if (edits === null) return { kind: 'nothing', said: `${subject} is at ${label} already; nothing to do.` };
  const before = present?.version ?? 'nothing';
  return {
    kind: 'change',
    edits,
    subject: subjectLine(`${subject}: promote ${label}`, reason),
    paragraphs: [`${label} replaces ${before} in ${environment.name}.`, ...(reason ? [reason] : [])],
    did: `${subject} goes from ${before} to ${label}.`,
    undo: commit => (present ? `switchback rollback ${subject}` : `git revert ${commit.slice(0, 12)}`),
    notes: notesOf(desired, environment, version, model),
  };
}

function refuseHeld(
  environment: DesiredEnvironment,
  { model, version: label }: PromoteRequest,
  version: DesiredVersion,
  now: Instant,
): void {
  const holds = environment.deployments.get(model)?.holds ?? environment.otherHolds?.get(model) ?? [];
  const hold = holds.find(one => isHeld({ digest: version.digest, settingsDigest: null }, [one], now));
  if (!hold) return;
  const address = `${environment.name}/${model}@${label}`;
  throw new SwitchbackError(
    'E_HELD',
    `${model}@${label} is on hold in ${environment.name} by ${hold.path}: ${hold.reason}. If it is good after all, lift the hold first: switchback lift ${address}`,
    { details: { hold: hold.path } },
  );
}

function refuseFrozen(environment: DesiredEnvironment, { model }: PromoteRequest, now: Instant): void {
  const freeze = environment.freezes.find(one => isInForce(one, model, now));
  if (!freeze) return;
  const until = freeze.until === undefined ? '' : ` until ${freeze.until}`;
  const by = freeze.by === undefined ? '' : ` by ${freeze.by}`;
  const scope = freeze.model === undefined ? '' : ` --model ${freeze.model}`;
  throw new SwitchbackError(
    'E_FROZEN',
    `${environment.name} is frozen${until}${by} (${freeze.path}): ${freeze.reason}. End it with: switchback unfreeze ${environment.name}${scope}`,
    { details: { freeze: freeze.path } },
  );
}

/** Whether a freeze binds this model now. */
export function isInForce(freeze: Freeze, model: string, now: Instant): boolean {
  const isMeant = freeze.model === undefined || freeze.model === model;
  return isMeant && (freeze.until === undefined || Date.parse(freeze.until) > now);
}

/** What automation would have minded and a person may not have noticed. */
function notesOf(
  desired: DesiredState,
  environment: DesiredEnvironment,
  version: DesiredVersion,
  model: ModelName,
): string[] {
  const upstream = environment.promotesFrom.filter(
    name => desired.environments.get(name)?.deployments.get(model)?.wanted?.digest === version.digest,
  );
  const notes: string[] = [];
  if (environment.promotesFrom.length > 0 && upstream.length === 0)
    notes.push(
      `${environment.promotesFrom.join(', ')} does not run ${version.label}: it comes here untried.`,
    );
  if (environment.promotion.by === 'newest')
    notes.push(
      `${environment.name} takes the newest version by itself; this pins it until release.yaml is deleted.`,
    );
  return notes;
}
