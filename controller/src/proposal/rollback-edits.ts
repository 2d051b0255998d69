import { API_VERSION, type CommitSha } from '@switchback-ml/schemas';
import { stringify } from 'yaml';
import type { DesiredDeployment, DesiredState, RepositoryHistory } from '../desired/desired-state.ts';
import type { RollbackIntent } from './intent.ts';
import { releasePath } from './promotion-rule.ts';
import { pastReleases, settingCommit } from './release-history.ts';

/** Characters that a text of a manifest may have. */
const LONGEST_TEXT = 2000;

/** What a rollback writes, given where the branch stands now. */
export type RollbackEdits =
  /** Release and hold in one commit; `reverts` when git's own word for it is true. */
  | { kind: 'restore'; edits: Map<string, string | null>; reverts: CommitSha | null; note: string | null }
  /** A person acted already: only the hold is missing. */
  | { kind: 'hold'; edits: Map<string, string | null> }
  /** Settings changed last: that commit is reverted whole, and the hold written with it. */
  | { kind: 'revert'; commit: CommitSha; edits: Map<string, string | null> }
  /** Everything is in git already. */
  | { kind: 'nothing' };

/**
 * The rollback rule. If the head's release is no longer the failing digest, a person already acted: write only the
 * hold. Otherwise restore release.yaml to what it was before the newest commit that set the failing digest, and
 * add the hold; where that is not last-good, write last-good and say so.
 */
export function rollbackEdits(
  intent: RollbackIntent,
  desired: DesiredState,
  history: RepositoryHistory,
): RollbackEdits {
  const environment = desired.environments.get(intent.environment);
  const deployment = environment?.deployments.get(intent.model);
  const path = releasePath(desired, { ...environment, name: intent.environment }, intent.model);
  const settingsOnly = intent.from.digest === intent.to.digest;
  const holds = deployment?.holds ?? [];
  const hold = new Map<string, string | null>();
  if (!isHeldForGood(intent, holds, settingsOnly)) hold.set(...holdFile(intent, path, settingsOnly, holds));

  if (settingsOnly && deployment?.wanted?.id === intent.from.id) {
    const commit = settingsCommit(intent, desired, history, path);
    if (commit) return { kind: 'revert', commit, edits: hold };
  }
  const hasRelease = (history.paths.get(path)?.at(-1)?.blob ?? null) !== null;
  const stillFails = !settingsOnly && hasRelease && deployment?.wanted?.digest === intent.from.digest;
  if (stillFails) return restore(intent, path, hold, history);
  // Where the newest is served without a release, or a person has moved on, the hold is all that is missing.
  return hold.size > 0 ? { kind: 'hold', edits: hold } : { kind: 'nothing' };
}

/** A hold that ends by itself would let automation bring the failing revision back with nobody's word. */
function isHeldForGood(
  { from }: RollbackIntent,
  holds: DesiredDeployment['holds'],
  settingsOnly: boolean,
): boolean {
  return holds.some(
    ({ digest, settings, until }) =>
      until === undefined &&
      digest === from.digest &&
      (settings === undefined || (settingsOnly && settings === from.settingsDigest)),
  );
}

function restore(
  intent: RollbackIntent,
  path: string,
  hold: Map<string, string | null>,
  history: RepositoryHistory,
): RollbackEdits {
  const past = pastReleases(path, history);
  const setting = settingCommit(path, intent.from.version, history);
  const before = setting ? past[setting.index - 1] : undefined;
  const isLastGood = before?.version === intent.to.version && before.text !== null;
  const text = isLastGood ? before.text : releaseText(intent.to.version);
  const edits = new Map([...hold, [path, text] as const]);
  const isWholeRevert = setting?.index === past.length - 1 && past[setting.index]?.change.alone;
  const reverts = isLastGood && setting && isWholeRevert ? setting.commit : null;
  const note = isLastGood
    ? null
    : `The release before was ${before?.version ?? 'none'}; ${intent.to.version} is last good.`;
  return { kind: 'restore', edits, reverts, note };
}

/**
 * The first-parent commit that brought the failing settings: of those that changed a file with this deployment's
 * settings, the newest up to the rollout's own commit. What came later did not bring them.
 */
function settingsCommit(
  { environment, model, cause }: RollbackIntent,
  desired: DesiredState,
  history: RepositoryHistory,
  release: string,
): CommitSha | null {
  const paths = [
    `models/${desired.models.get(model)?.folder ?? model}/serving.yaml`,
    `${folderOf(release)}serving.yaml`,
    `environments/${environment}/environment.yaml`,
  ];
  const rank = (commit: CommitSha): number => history.commits.get(commit) ?? 0;
  const newest = history.commits.get(cause) ?? Number.POSITIVE_INFINITY;
  const changes = paths.flatMap(path => history.paths.get(path) ?? []);
  const eligible = changes.filter(({ commit }) => rank(commit) <= newest);
  return eligible.sort((a, b) => rank(b.commit) - rank(a.commit))[0]?.commit ?? null;
}

function holdFile(
  { from, reason, by, evidence }: RollbackIntent,
  release: string,
  settingsOnly: boolean,
  holds: DesiredDeployment['holds'],
): [string, string] {
  const { version, digest, settingsDigest } = from;
  const name = settingsOnly ? `${version}-settings-${settingsDigest.slice(7, 15)}` : version;
  const path = `${folderOf(release)}holds/${name}.yaml`;
  // Under that name a person may hold something else: that hold stays.
  const isTaken = holds.some(hold => hold.path === path && hold.digest !== digest);
  const text = stringify(
    {
      apiVersion: API_VERSION,
      kind: 'Hold',
      digest,
      ...(settingsOnly ? { settings: settingsDigest } : {}),
      reason: plainText(reason) || 'found bad',
      by: plainText(by) || 'controller',
      ...(Object.keys(evidence).length > 0 ? { evidence } : {}),
    },
    { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 },
  );
  return [isTaken ? path.replace(/\.yaml$/, `-${digest.slice(7, 15)}.yaml`) : path, text];
}

/** As a manifest may carry it: our own hold must be readable, whatever a person gave as the reason. */
function plainText(text: string): string {
  const visible = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return visible.slice(0, LONGEST_TEXT).toWellFormed();
}

function folderOf(releasePath: string): string {
  return releasePath.slice(0, -'release.yaml'.length);
}

/** A release with nothing but the pin. */
export function releaseText(version: string): string {
  return `apiVersion: ${API_VERSION}\nkind: Release\nversion: ${JSON.stringify(version)}\n`;
}
