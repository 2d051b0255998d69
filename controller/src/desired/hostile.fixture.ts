import type { CommitSha, EnvironmentName, Problem } from '@switchback-ml/schemas';
import { readFile } from '../repository/read-file.ts';
import { rollout } from '../rollout/rollout.ts';
import { subjectOf } from '../rollout/rollout-state.ts';
import { desired, type Tree } from './desired.ts';
import type { DesiredState } from './desired-state.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import { blobId, type FixtureCommit, treeOf } from './tree.fixture.ts';

/** Two models in three environments, all well. */
export const WELL: FixtureCommit = {
  'models/risk/fraud/model.yaml': manifestText('Model', { owners: ['risk'] }),
  'models/risk/fraud/serving.yaml': manifestText('Serving', { limits: { timeout: '200ms' } }),
  ...versionFiles('risk/fraud', '1.2.0'),
  ...versionFiles('risk/fraud', '1.3.0'),
  ...versionFiles('triage', '2.0.0'),
  ...environmentFile('dev', { promotion: { by: 'newest' } }),
  ...environmentFile('staging', { promotesFrom: 'dev' }),
  ...environmentFile('prod', { promotesFrom: 'staging' }),
  ...releaseFile('staging', 'risk/fraud', '1.3.0'),
  ...releaseFile('prod', 'risk/fraud', '1.2.0'),
  ...releaseFile('prod', 'triage', '2.0.0'),
};

export const RELEASE = 'environments/prod/risk/fraud/release.yaml';
export const SERVING = 'models/risk/fraud/serving.yaml';
export const MODEL = 'models/risk/fraud/model.yaml';
export const ENVIRONMENT = 'environments/prod/environment.yaml';
export const VERSION = 'models/risk/fraud/versions/1.3.0/version.yaml';

export interface Met {
  problems: readonly Problem[];
  state: DesiredState;
  /** What every environment serves before and after the input was met, by deployment. */
  served: { before: object; after: object };
}

/** What becomes of a running world when this is committed, read as the repository's own reader reads it. */
export async function meet(edits: Readonly<Record<string, string | Uint8Array | null>>): Promise<Met> {
  const memory = new Map();
  const well = treeOf([WELL]);
  const before = rolledOut(desired(well, memory), new Map());
  const next = await withBytes(well, edits);
  const state = desired(next, memory);
  const after = rolledOut(state, before.states);
  return { problems: state.problems, state, served: { before: servedBy(before), after: servedBy(after) } };
}

/** A link, or a submodule, in the place of a file or a folder. */
export async function meetLink(path: string, mode: '120000' | '160000'): Promise<Met> {
  const memory = new Map();
  const well = treeOf([WELL]);
  const before = rolledOut(desired(well, memory), new Map());
  const files = new Map([...well.files].filter(([other]) => !other.startsWith(`${path}/`)));
  const change = { path, blob: blobId(path), mode };
  files.set(path, await readFile(blobs(new Map()), change, AbortSignal.timeout(10_000)));
  const state = desired({ ...well, commit: NEXT, files }, memory);
  const after = rolledOut(state, before.states);
  return { problems: state.problems, state, served: { before: servedBy(before), after: servedBy(after) } };
}

const NEXT = 'e'.repeat(40) as CommitSha;

async function withBytes(
  tree: Tree,
  edits: Readonly<Record<string, string | Uint8Array | null>>,
): Promise<Tree> {
  const files = new Map(tree.files);
  for (const [path, content] of Object.entries(edits)) {
    if (content === null) {
      files.delete(path);
      continue;
    }
    const bytes = Buffer.from(content as Uint8Array);
    const blob = blobId(bytes.toString('latin1'));
    const source = blobs(new Map([[blob, bytes]]));
    files.set(path, await readFile(source, { path, blob, mode: '100644' }, AbortSignal.timeout(10_000)));
  }
  return { ...tree, commit: NEXT, files };
}

/** Bytes by id, as an object database gives them: none beyond the limit. */
function blobs(content: ReadonlyMap<string, Uint8Array>): Parameters<typeof readFile>[0] {
  return {
    readBlob: async (blob, limitBytes) => {
      const bytes = content.get(blob) ?? new Uint8Array();
      if (bytes.length > limitBytes) return { kind: 'too-large', sizeBytes: bytes.length };
      return { kind: 'bytes', bytes };
    },
  };
}

function rolledOut(state: DesiredState, states: Parameters<typeof rollout>[0]['states']) {
  return rollout({
    desired: state,
    states,
    openRollbacks: [],
    verdicts: new Map(),
    served: () => new Map(),
    now: 1_770_000_000_000,
  });
}

function servedBy({ target }: ReturnType<typeof rollout>): object {
  const routes = [...target].flatMap(([environment, models]) =>
    [...(models ?? [])].map(([model, { backends }]) => [
      subjectOf(environment as EnvironmentName, model),
      backends.map(({ version, weight, revision }) => `${version} ${weight} ${revision}`),
    ]),
  );
  return Object.fromEntries(routes.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}
