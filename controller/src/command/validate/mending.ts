import type { Artifact, CommitSha, Problem } from '@switchback-ml/schemas';
import { SET_UP_LFS, trackByLfs } from '../../desired/lfs-remedy.ts';
import { parseManifest } from '../../desired/manifests.ts';
import { placeOf } from '../../desired/place.ts';
import type { ArtifactHistory } from './artifact-history.ts';
import type { RawReason } from './committed-form.ts';
import type { Folder } from './folder.ts';
import type { FolderPast } from './past.ts';
import { howToFold, newLabel, type Standing, standingOf } from './standing.ts';

interface MendingRequest {
  read: Folder;
  past: FolderPast | null;
  artifacts: ArtifactHistory;
}

/** One problem with a version, and what this clone knows of it. */
interface Case {
  problem: Problem;
  /** Folder of the version. */
  at: string;
  standing: Standing;
  /** The artifact that the problem is about, if it is about one. */
  artifact: { name: string; path: string; rightAt: CommitSha | null } | null;
}

/**
 * The same problems with remedies for whoever stands in this folder. The controller knows what is pushed and nothing
 * else; here it is known whether others have a version already, and so whether a mistake in it can still be corrected.
 */
export async function mendable(problems: readonly Problem[], request: MendingRequest): Promise<Problem[]> {
  const mended = new Map<Problem, Problem>();
  for (const problem of problems) {
    if (placeOf(problem.path).kind !== 'version') continue;
    mended.set(problem, mend(await caseOf(problem, request), request.read));
  }
  const changed = [...mended].filter(([before, after]) => before.remedy !== after.remedy);
  return problems.map(problem => mended.get(problem) ?? aboutRelease(problem, changed));
}

async function caseOf(problem: Problem, { read, past, artifacts }: MendingRequest): Promise<Case> {
  const at = problem.path.slice(0, -'/version.yaml'.length);
  const standing = standingOf(problem.path, past);
  const name = /^artifacts\.(.+)$/.exec(problem.field ?? '')?.[1];
  const said = name === undefined ? undefined : artifactIn(problem.path, name, read);
  if (name === undefined || said === undefined) return { problem, at, standing, artifact: null };
  const path = `${at}/${name}`;
  return { problem, at, standing, artifact: { name, path, rightAt: await artifacts.lastRight(path, said) } };
}

function artifactIn(path: string, name: string, { files }: Folder): Artifact | undefined {
  const file = files.get(path);
  const parsed = file && parseManifest('version', path, file);
  return parsed?.ok ? parsed.manifest.artifacts[name] : undefined;
}

function mend({ problem, at, standing, artifact }: Case, { raw }: Folder): Problem {
  const { code, remedy } = problem;
  if (code === 'E_VERSION_CHANGED') return { ...problem, remedy: ifChanged(remedy, at, standing) };
  if (artifact === null) return problem;
  const { name, path, rightAt } = artifact;
  if (code === 'W_RAW_ARTIFACT' || code === 'E_RAW_ARTIFACT')
    return { ...problem, ...ifRaw(problem.message, { name, reason: raw.get(path) }) };
  const back = rightAt && `git checkout ${rightAt.slice(0, 7)} -- ${path}`;
  if (code === 'E_ARTIFACT_MISSING' && back) return { ...problem, remedy: `Bring it back: ${back}` };
  if (code === 'E_ARTIFACT_DIFFERS')
    return { ...problem, remedy: ifDifferent(at, { standing, back, otherwise: remedy }) };
  return problem;
}

function ifChanged(remedy: string, at: string, standing: Standing): string {
  const fold = howToFold(at, standing);
  return fold === null ? remedy : `If it is as it should be now, ${fold}`;
}

function ifDifferent(
  at: string,
  { standing, back, otherwise }: { standing: Standing; back: string | null; otherwise: string },
): string {
  if (standing.of === 'nobody') return otherwise;
  const fold = howToFold(at, standing);
  if (fold !== null) {
    const values = 'write its values into version.yaml';
    const either = back
      ? `If the file is wrong, bring it back (${back}); if it is right, ${values}`
      : `If the file is right, ${values}`;
    return `${either}; then ${fold}`;
  }
  if (back) return `Versions never change, and new bytes get a new label. Bring the file back: ${back}`;
  const have = standing.of === 'all' ? 'have' : 'may have';
  return `It never was right, and others ${have} it, so its label is lost. Run git mv ${at} ${newLabel(at)}, and write the values of the file into version.yaml there, and the new label into releases that name this one.`;
}

/** Large files in git itself make every clone large for ever, so here it is an error. */
function ifRaw(
  message: string,
  { name, reason }: { name: string; reason: RawReason | undefined },
): Partial<Problem> {
  if (reason === undefined)
    return { remedy: `Before its first commit, in a git repository: ${trackByLfs(name)}` };
  const raw = { code: 'E_RAW_ARTIFACT', severity: 'error' } as const;
  if (reason === 'in-git') return raw;
  const [why, command] =
    reason === 'no-filter'
      ? ['Git LFS is not set up here', SET_UP_LFS]
      : ['.gitattributes does not send it to Git LFS', trackByLfs(name)];
  return {
    ...raw,
    message: message.replace(/ is in git itself.*$/, ` would be committed into git itself: ${why}`),
    remedy: `Run, before you add it: ${command}`,
  };
}

/** A release that names such a version repeats what is said of it; the remedy stands with the version itself. */
function aboutRelease(problem: Problem, changed: readonly (readonly [Problem, Problem])[]): Problem {
  if (problem.code !== 'E_REFERENCE') return problem;
  const cause = changed.find(
    ([{ message, remedy }]) => problem.message.endsWith(message) && problem.remedy.endsWith(remedy),
  );
  if (cause === undefined) return problem;
  return { ...problem, remedy: `Name another version here, or mend ${cause[1].path} as is said there.` };
}
