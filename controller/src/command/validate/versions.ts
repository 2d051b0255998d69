import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '@switchback-ml/schemas';
import type { DesiredState, DesiredVersion } from '../../desired/desired-state.ts';
import { parseManifest } from '../../desired/manifests.ts';
import { placeOf } from '../../desired/place.ts';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Progress } from '../progress.ts';
import { canTry, tryVersion } from '../register/trial.ts';
import type { Folder } from './folder.ts';
import { goldenProblems } from './golden.ts';
import type { FolderPast } from './past.ts';
import { howToFold, isNew, type Standing, standingOf } from './standing.ts';

const LARGEST_GOLDEN_BYTES = 64 * 2 ** 20;
/** Each takes a process a second or two; whoever adds more at once hears of the rest from the controller. */
const MOST_TRIALS = 20;

export interface VersionsRequest {
  folder: string;
  read: Folder;
  desired: DesiredState;
  /** Null: nothing is known of it, and every version is new. */
  past: FolderPast | null;
  /** Whether the graphs of versions that others have are tried too. */
  triesAll?: boolean;
  /** Throws with the code and the sentence that a runtime would refuse it with. */
  attempt?: typeof tryVersion;
  signal: AbortSignal;
  progress: Progress;
}

export interface Found {
  problems: Problem[];
  /** Graphs that were asked their golden rows. */
  tried: number;
  /** Graphs that were not, since others have them. */
  untried: number;
  notes: string[];
}

/** What the files of versions say beside their manifests, as far as their bytes lie in the folder. */
export async function checkVersions(request: VersionsRequest): Promise<Found> {
  const problems = await checkGolden(request);
  const flawed = new Set(problems.map(({ path }) => folderOf(path)));
  const { attempt, notes } = attemptOf(request);
  const here = versionsHere(request).filter(({ at }) => !flawed.has(at));
  const all = request.triesAll ? here : here.filter(({ standing }) => isNew(standing));
  const trials = attempt === null ? [] : all.slice(request.triesAll ? 0 : -MOST_TRIALS);
  for (const one of trials) {
    request.progress(`trying the graph of ${one.name}`);
    const problem = await trial(attempt ?? tryVersion, one, request);
    if (problem) problems.push(problem);
  }
  if (attempt !== null && all.length > trials.length)
    notes.push(`${all.length - trials.length} more new versions were not tried; the controller does.`);
  return { problems, tried: trials.length, untried: here.length - all.length, notes };
}

function attemptOf({ attempt }: VersionsRequest): { attempt: typeof tryVersion | null; notes: string[] } {
  if (attempt) return { attempt, notes: [] };
  if (canTry()) return { attempt: tryVersion, notes: [] };
  return {
    attempt: null,
    notes: ['No runtime is installed here, so no graph was tried; the controller does.'],
  };
}

/** Of an older version nobody can mend it any more: its runtime refuses it, and that is told as a warning. */
async function checkGolden({ folder, read, past, signal }: VersionsRequest): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [path, file] of read.files) {
    if (placeOf(path).kind !== 'version') continue;
    const golden = `${folderOf(path)}/golden.json`;
    const manifest = parseManifest('version', path, file);
    const found = read.files.get(golden);
    if (!manifest.ok || !read.present.has(golden) || found === undefined) continue;
    if (!('sizeBytes' in found) || found.sizeBytes > LARGEST_GOLDEN_BYTES) continue;
    const text = await readFile(join(folder, golden), { encoding: 'utf8', signal });
    const severity = isNew(standingOf(path, past)) ? 'error' : 'warning';
    for (const problem of goldenProblems(golden, text, manifest.manifest.signature))
      problems.push({ ...problem, severity });
  }
  return problems;
}

interface VersionHere {
  /** `models/payments/fraud/versions/1.3.0` */
  at: string;
  /** `fraud@1.3.0` */
  name: string;
  version: DesiredVersion;
  standing: Standing;
}

/** Those that may serve by all else that is known, oldest first, with their bytes here. */
function versionsHere({ desired, read, past }: VersionsRequest): VersionHere[] {
  return [...desired.models.values()].flatMap(({ name, folder, versions }) =>
    versions.flatMap(version => {
      const at = `models/${folder}/versions/${version.label}`;
      const isHere = ['model.onnx', 'golden.json'].every(file => read.present.has(`${at}/${file}`));
      if (!isHere) return [];
      const standing = standingOf(`${at}/version.yaml`, past);
      return [{ at, name: `${name}@${version.label}`, version, standing }];
    }),
  );
}

const REMEDIES: Readonly<Record<string, { file: string; remedy: string }>> = {
  E_MODEL_SIGNATURE: { file: 'version.yaml', remedy: 'Write into it what the graph has' },
  E_MODEL_GOLDEN: {
    file: 'golden.json',
    remedy:
      'Export the model again, or compute its answers anew; then write sha256 and size into version.yaml',
  },
};
const OTHER_REMEDY = {
  file: 'model.onnx',
  remedy:
    'Export it again, then write sha256 and size into version.yaml; docs/errors.md says more of the code',
};

async function trial(
  attempt: typeof tryVersion,
  { at, version, standing }: VersionHere,
  { folder, signal }: VersionsRequest,
): Promise<Problem | null> {
  const { signature, artifacts } = version;
  const tolerance = artifacts['golden.json']?.tolerance;
  const file = (name: string): string => join(folder, at, name);
  try {
    await attempt(
      { model: file('model.onnx'), golden: file('golden.json'), signature, ...(tolerance && { tolerance }) },
      signal,
    );
    return null;
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof SwitchbackError ? error.code : 'E_MODEL_LOAD';
    const { file: name, remedy } = REMEDIES[code] ?? OTHER_REMEDY;
    const path = `${at}/${name}`;
    const message = `${path} ${clause(messageOf(error))}`;
    return { code, severity: 'error', path, message, remedy: remedyOf(remedy, at, standing) };
  }
}

function remedyOf(remedy: string, at: string, standing: Standing): string {
  if (!isNew(standing))
    return 'Others have this version, and versions never change: add what is right under a new label, and release that.';
  const fold = howToFold(at, standing);
  return fold === null ? `${remedy}.` : `${remedy}; then ${fold}`;
}

/** `The graph …, x. Register the version anew.` → `the graph …, x` */
function clause(sentence: string): string {
  const said = sentence.replace(/[.;]? ?[Rr]egister the version anew\.$/, '').replace(/\.$/, '');
  return said.charAt(0).toLowerCase() + said.slice(1);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
