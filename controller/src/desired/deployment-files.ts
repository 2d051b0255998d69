import { API_VERSION, type Hold, type Problem, type Release, type ServingPart } from '@switchback-ml/schemas';
import type { DesiredDeployment } from './desired-state.ts';
import type { Files } from './groups.ts';
import type { ReadModel } from './models.ts';
import { complain, type PlacedFile, readManifest } from './placed-file.ts';

/** What an environment's folder says of one model. */
export interface DeploymentFiles {
  /** Null: there is none. Its manifest is null where it can't be read or two contradict each other. */
  release: { placed: PlacedFile; manifest: Release | null } | null;
  serving: { placed: PlacedFile; manifest: ServingPart | null } | null;
  holds: DesiredDeployment['holds'];
}

export function readDeploymentFiles(
  files: Files,
  known: ReadModel | null,
  problems: Problem[],
): DeploymentFiles {
  return {
    release: theOne('release', files, problems),
    serving: theOne('environment-serving', files, problems),
    holds: files
      .filter(({ place }) => place.kind === 'hold')
      .flatMap(placed => readHold(placed, known, problems) ?? []),
  };
}

/** Two files that say the same thing of one model: neither can be followed. */
function theOne<Kind extends 'release' | 'environment-serving'>(
  kind: Kind,
  files: Files,
  problems: Problem[],
) {
  const [first, ...others] = files
    .filter(({ place }) => place.kind === kind)
    .map(placed => ({ placed, manifest: readManifest(kind, placed, problems) }));
  for (const { placed } of others)
    problems.push(
      complain(placed, {
        code: 'E_DUPLICATE_NAME',
        message: `and ${first?.placed.path} speak of the same model`,
        remedy: 'Keep one of the two: the name of a model is unique, whatever team it stands under.',
      }),
    );
  if (!first) return null;
  return others.length === 0 ? first : { ...first, manifest: null };
}

function readHold(
  placed: PlacedFile,
  known: ReadModel | null,
  problems: Problem[],
): (Hold & { path: string }) | null {
  const hold = readManifest('hold', placed, problems);
  const { path } = placed;
  if (hold) {
    const isIdle = known?.unread.length === 0 && !known.isDisputed && !namesVersion(hold, known);
    if (isIdle) problems.push(idleHold(placed, known));
    return { ...hold, path };
  }
  // A hold that can't be read still holds the version that its file is named after.
  const digest = versionNamedBy(path, known)?.digest;
  const reason = 'its file can not be read';
  return digest ? { apiVersion: API_VERSION, kind: 'Hold', digest, reason, path } : null;
}

function namesVersion(hold: Hold, { model }: ReadModel): boolean {
  return model.versions.some(({ digest }) => digest === hold.digest);
}

function idleHold(placed: PlacedFile, known: ReadModel): Problem {
  const meant = versionNamedBy(placed.path, known);
  return complain(placed, {
    code: 'E_REFERENCE',
    severity: 'warning',
    field: ['digest'],
    message: `no version of ${known.model.name} has this digest, so nothing is held`,
    remedy: meant
      ? `${meant.label} has ${meant.digest}.`
      : 'Name the digest of a version, or remove the hold.',
  });
}

function versionNamedBy(path: string, known: ReadModel | null) {
  const label = path.slice(path.lastIndexOf('/') + 1, -'.yaml'.length);
  return known?.model.versions.find(version => version.label === label);
}
