import type { Problem, Release, ServingPart } from '@switchback-ml/schemas';
import type { DeploymentFiles } from './deployment-files.ts';
import type { DesiredVersion, RevisionSpec } from './desired-state.ts';
import { type Misfit, misfits } from './fallback-fit.ts';
import { revision } from './identity.ts';
import type { ReadModel } from './models.ts';
import { nearest } from './nearest.ts';
import { complain, type PlacedFile } from './placed-file.ts';
import { effectiveSettings } from './settings.ts';
import { type Doubt, doubtsAbout, missingOutput, uselessRange } from './settings-doubts.ts';

const MOST_MISFITS = 20;

export interface WantedInput {
  known: ReadModel;
  files: DeploymentFiles;
  /** Of the environment, for all its models, and where they stand. */
  defaults: ServingPart | undefined;
  environmentPath: string;
}

/** What git asks to be served; null: it can't be read, or can't be followed, and what runs is kept. */
export function wantedRevision(input: WantedInput, problems: Problem[]): RevisionSpec | null {
  const { known, files, defaults } = input;
  const { release, serving } = files;
  if (known.isDisputed || (release && !release.manifest)) return null;
  const version = release?.manifest
    ? released(release.placed, release.manifest, known, problems)
    : newest(known, files.holds);
  // A setting that can't be read is not a setting that is gone: nothing new is rolled out over a broken file.
  if (!version || known.serving?.part === null || serving?.manifest === null) return null;

  const own = [known.serving?.part, serving?.manifest].filter(part => part != null);
  const general = effectiveSettings(defaults ? [defaults] : []);
  const settings = effectiveSettings(defaults ? [defaults, ...own] : own);
  // What the environment's defaults are to blame for is told once, there.
  const told = new Set(own.length === 0 ? [] : doubtsAbout(general).map(({ message }) => message));
  const doubts = own.length === 0 ? [] : doubtsAbout(settings).filter(({ message }) => !told.has(message));
  const range = uselessRange(settings, version.signature);
  for (const doubt of range ? [...doubts, range] : doubts)
    problems.push(complaint(doubt, { code: 'W_SETTINGS', severity: 'warning' }, input));
  const missing = missingOutput(settings, version.signature);
  const errors: Misfit[] = [
    ...(missing ? [{ ...missing, code: 'E_REFERENCE' as const }] : []),
    ...misfits(settings, version.signature).slice(0, MOST_MISFITS),
  ];
  for (const { code, ...doubt } of errors)
    problems.push(complaint(doubt, { code, severity: 'error' }, input));
  return errors.length > 0 ? null : revision(version, settings);
}

/**
 * The newest version that no hold names. Where a newer one is there and can't be trusted, what runs is kept: going back
 * to the one before would be a rollback that nobody asked for.
 */
function newest({ model, unread }: ReadModel, holds: DeploymentFiles['holds']): DesiredVersion | null {
  const held = new Set(holds.filter(hold => !hold.settings).map(hold => hold.digest));
  const index = model.versions.findLastIndex(({ digest }) => !held.has(digest));
  return unread.some(({ after }) => after > index) ? null : (model.versions[index] ?? null);
}

function released(
  placed: PlacedFile,
  release: Release,
  known: ReadModel,
  problems: Problem[],
): DesiredVersion | null {
  const version = known.model.versions.find(({ label }) => label === release.version);
  if (!version) {
    problems.push(missingVersion(placed, release, known));
    return null;
  }
  if (!release.digest || release.digest === version.digest) return version;
  problems.push(
    complain(placed, {
      code: 'E_ARTIFACT_DIFFERS',
      field: ['digest'],
      message: `names ${release.digest.slice(0, 19)}…, but ${release.version} is ${version.digest}`,
      remedy: 'Name the version that was meant, or write the digest of this one, or leave the digest out.',
    }),
  );
  return null;
}

function missingVersion(placed: PlacedFile, { version }: Release, { model, unread, problems }: ReadModel) {
  const unreadable = unread.find(({ label }) => label === version);
  if (unreadable) {
    const why = problems.find(({ path, severity }) => path === unreadable.path && severity === 'error');
    return complain(placed, {
      code: 'E_REFERENCE',
      field: ['version'],
      message: `names "${version}", which can not be taken as it is${why ? `: ${why.message}` : ''}`,
      remedy: `Name another version here, or mend ${unreadable.path}${why ? `. ${why.remedy}` : '.'}`,
    });
  }
  const labels = model.versions.map(({ label }) => label);
  const near = nearest(version, labels);
  const candidates =
    labels.length > 0
      ? `Known versions: ${labels.slice(-5).join(', ')}.`
      : `It has none that can be read: add models/${model.folder}/versions/${version}, or remove this release.`;
  return complain(placed, {
    code: 'E_REFERENCE',
    field: ['version'],
    message: `names "${version}", which is no version of ${model.name}`,
    remedy: near ? `Did you mean "${near}"? ${candidates}` : candidates,
  });
}

/** Told of the file that says it; of the environment's own without a line, since it is read apart. */
function complaint(
  { field, message, remedy }: Doubt,
  { code, severity }: { code: 'W_SETTINGS' | Misfit['code']; severity: Problem['severity'] },
  { known, files, defaults, environmentPath }: WantedInput,
): Problem {
  const said = { code, severity, field, remedy, message: `${message} (${known.model.name})` };
  const speakers = [
    files.serving && { placed: files.serving.placed, part: files.serving.manifest },
    known.serving,
  ];
  const speaker = speakers.find(one => one?.part != null && says(one.part, field));
  if (speaker) return complain(speaker.placed, said);
  if (defaults && says(defaults, field))
    return complain({ path: environmentPath }, { ...said, field: ['defaults', ...field] });
  const own = speakers.find(one => one?.part != null);
  return complain(own?.placed ?? { path: environmentPath }, said);
}

function says(part: ServingPart, field: readonly string[]): boolean {
  let at: unknown = part;
  for (const name of field) at = typeof at === 'object' && at !== null ? (at as never)[name] : undefined;
  return at !== undefined;
}
