import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelName, VersionDigest, VersionLabel } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';
import { formatPointer } from '../repository/lfs/pointer.ts';
import type { Outcome } from './outcome.ts';
import type { Progress } from './progress.ts';
import { openArtifactSink } from './register/artifact-sink.ts';
import { type Prepared, prepareVersion, type RegisterRequest } from './register/prepare.ts';
import { trackingEdits } from './register/tracking.ts';
import { changeRepository, type GitOptions } from './workspace/open.ts';
import type { Look, Workspace } from './workspace/workspace.ts';
import type { Planned } from './workspace/write.ts';

export type { RegisterRequest };

/** With fewer rows an export that is wrong for some inputs can pass. */
const FEW_ROWS = 50;

/**
 * Adds a version to the model repository: tries the graph on the samples, compares it with the framework's answers,
 * uploads model and golden answers to LFS and commits their pointers. Throws E_CONFLICT when the version exists.
 */
export async function register(
  request: RegisterRequest,
  options: GitOptions & { progress?: Progress },
): Promise<Outcome> {
  const { signal, progress = silent } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'switchback-register-'));
  try {
    const prepared = await prepareVersion(request, scratch, signal, progress);
    let isUploaded = false;
    return await changeRepository(options, async (look, workspace) => {
      const planned = await planVersion(look, workspace, prepared, signal);
      if (!isUploaded) {
        progress('uploading model and golden answers');
        const { lfs } = request;
        const sink = await openArtifactSink({
          target: workspace.target,
          person: workspace.person,
          lfs,
          progress,
          signal,
        });
        await sink.upload(Object.values(prepared.objects), signal);
        isUploaded = true;
      }
      return planned;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const silent: Progress = () => {};

async function planVersion(
  look: Look,
  workspace: Workspace,
  { request, manifest, digest, answers, rows, objects }: Prepared,
  signal: AbortSignal,
): Promise<Planned> {
  const { model, version, reason } = request;
  const folder = folderOf(look, request);
  const path = `models/${folder}/versions/${version}`;
  refuseExisting(look, request, path, digest);
  const edits = new Map([
    ...(await trackingEdits(look, workspace, signal)),
    [`${path}/version.yaml`, manifest(`${path}/version.yaml`)],
    [`${path}/model.onnx`, formatPointer(objects['model.onnx'])],
    [`${path}/golden.json`, formatPointer(objects['golden.json'])],
  ]);
  const proof = answers === 'framework' ? 'answers as the framework does' : 'its own answers were recorded';
  return {
    kind: 'change',
    edits,
    subject: `${model}: register ${version}`,
    paragraphs: [
      ...(reason ? [reason] : []),
      `${digest}, ${rows} golden row${rows === 1 ? '' : 's'}: ${proof}.`,
    ],
    did: `${model}@${version} is registered: ${digest.slice(0, 19)}…, ${rows} golden row${rows === 1 ? '' : 's'}, ${proof}.`,
    undo: commit => `git revert ${commit.slice(0, 12)} (while no environment runs it)`,
    notes: notesOf(look, { model, version, digest, answers, rows }),
  };
}

function folderOf({ desired }: Look, { model, folder }: RegisterRequest): string {
  const known = desired.models.get(model)?.folder;
  if (known === undefined || known === folder || folder === model) return known ?? folder;
  throw new SwitchbackError(
    'E_CONFLICT',
    `The model ${model} stands in models/${known}, not in models/${folder}: names are unique. Use --name ${known}, or another name.`,
  );
}

/** Versions are add-only, also one whose manifest can't be read. */
function refuseExisting(
  { view, desired }: Look,
  { model, version }: RegisterRequest,
  path: string,
  digest: VersionDigest,
): void {
  if (![...view.files.keys()].some(file => file.startsWith(`${path}/`))) return;
  const known = desired.models.get(model)?.versions.find(({ label }) => label === version);
  const what =
    known?.digest === digest
      ? 'is registered already, with the same model and golden answers; there is nothing to do'
      : 'is registered already, and versions never change. Register these bytes as a new version';
  throw new SwitchbackError('E_CONFLICT', `${model}@${version} ${what}.`, { details: { path } });
}

function notesOf(
  { desired }: Look,
  {
    model,
    version,
    digest,
    answers,
    rows,
  }: { model: ModelName; version: VersionLabel; digest: VersionDigest } & Pick<Prepared, 'answers' | 'rows'>,
): string[] {
  const same = desired.models.get(model)?.versions.find(known => known.digest === digest);
  const takers = [...desired.environments.values()].filter(({ promotion }) => promotion.by === 'newest');
  const [next] = [...desired.environments.values()].filter(({ promotion }) => promotion.by !== 'newest');
  return [
    ...(rows < FEW_ROWS
      ? [`${rows} golden rows are few: ${FEW_ROWS} or more find more faults of an export.`]
      : []),
    ...(answers === 'graph'
      ? [
          'No column is named like an output, so nothing was compared with the framework: a fault of the export itself goes unseen.',
        ]
      : []),
    ...(same ? [`It is the same as ${same.label}.`] : []),
    ...takers.map(({ name }) => `${name} takes it by itself, as the newest.`),
    ...(takers.length === 0 && next
      ? [`Nothing runs it yet: switchback promote ${model}@${version} ${next.name}`]
      : []),
  ];
}
