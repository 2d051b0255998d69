import type { DesiredDeployment, DesiredEnvironment, DesiredVersion } from '../desired/desired-state.ts';
import { releasePath } from '../proposal/promotion-rule.ts';
import { findEnvironment, findVersion } from '../registry/find.ts';
import type { DeploymentAddress, VersionAddress } from './address.ts';
import type { Outcome } from './outcome.ts';
import { manifestText } from './workspace/manifest-text.ts';
import { subjectLine } from './workspace/message.ts';
import { changeRepository, type GitOptions } from './workspace/open.ts';
import type { Look } from './workspace/workspace.ts';
import type { Planned } from './workspace/write.ts';

export interface HoldRequest extends DeploymentAddress, VersionAddress {
  reason: string;
}

export interface LiftRequest extends DeploymentAddress, VersionAddress {
  reason?: string | undefined;
}

/** Keeps automation, and `promote`, from bringing a version into an environment. Moves no traffic. */
export async function hold(request: HoldRequest, options: GitOptions): Promise<Outcome> {
  return changeRepository(options, (look, { person }) => planHold(look, request, person.name));
}

/** Only a person's commit lifts a hold, and this is one. */
export async function lift(request: LiftRequest, options: GitOptions): Promise<Outcome> {
  return changeRepository(options, look => planLift(look, request));
}

export function planHold({ desired }: Look, request: HoldRequest, by: string): Planned {
  const { model, version: label, reason } = request;
  const environment = findEnvironment(desired, request.environment);
  const version = findVersion(desired, model, label);
  const address = `${environment.name}/${model}@${label}`;
  const present = environment.deployments.get(model);
  const known = holdsOf(present, version)[0];
  if (known)
    return { kind: 'nothing', said: `${address} is on hold already, by ${known.path}: ${known.reason}` };
  const folder = releasePath(desired, environment, model).slice(0, -'release.yaml'.length);
  return {
    kind: 'change',
    edits: new Map([
      [`${folder}holds/${label}.yaml`, manifestText('Hold', { digest: version.digest, reason, by })],
    ]),
    subject: subjectLine(`${environment.name}/${model}: ${label} on hold`, reason),
    paragraphs: [reason, `To lift the hold: switchback lift ${address}`],
    did: `${address} is on hold.`,
    undo: () => `switchback lift ${address}`,
    notes: servedNotes(environment, present, version),
  };
}

export function planLift({ desired }: Look, request: LiftRequest): Planned {
  const { model, version: label, reason } = request;
  const environment = findEnvironment(desired, request.environment);
  const version = findVersion(desired, model, label);
  const address = `${environment.name}/${model}@${label}`;
  const holds = holdsOf(environment.deployments.get(model), version, { withSettings: true });
  if (holds.length === 0) return { kind: 'nothing', said: `${address} is not on hold; nothing to do.` };
  return {
    kind: 'change',
    edits: new Map(holds.map(({ path }) => [path, null])),
    subject: subjectLine(`${environment.name}/${model}: lift the hold on ${label}`, reason),
    paragraphs: [...(reason ? [reason] : []), ...holds.map(held => `It was held because: ${held.reason}`)],
    did: `${address} is no longer on hold.`,
    undo: () => `switchback hold ${address} --reason …`,
    notes: [
      `Nothing is promoted by this. To bring it back: switchback promote ${model}@${label} ${environment.name}`,
    ],
  };
}

function holdsOf(
  deployment: DesiredDeployment | undefined,
  { digest }: DesiredVersion,
  { withSettings = false } = {},
): DesiredDeployment['holds'] {
  const holds = deployment?.holds ?? [];
  return holds.filter(held => held.digest === digest && (withSettings || held.settings === undefined));
}

function servedNotes(
  { name }: DesiredEnvironment,
  deployment: DesiredDeployment | undefined,
  { digest, label }: DesiredVersion,
): string[] {
  if (deployment?.wanted?.digest !== digest) return [];
  return [
    `${name} runs ${label} now and goes on with it; to leave it: switchback rollback ${name}/${deployment.model}`,
  ];
}
