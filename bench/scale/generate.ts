import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';

const TEAM_SIZE = 100;
const AUTHOR = 'Generator <generator@localhost> 1780000000 +0000';
export const BRANCH = 'main';
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;

/** The folder of one of many models, below `models/` and below each environment: `team-007/model-00712`. */
export function folderOf(index: number): string {
  const team = String(Math.floor(index / TEAM_SIZE)).padStart(3, '0');
  return `team-${team}/model-${String(index).padStart(5, '0')}`;
}

/**
 * A bare repository with so many models, each with one version that is released in dev, staging and prod, in one
 * commit. Weights are pointers to nothing: planning never asks for them.
 */
export async function generateRepository(bare: string, models: number): Promise<void> {
  await git(['init', '--quiet', '--bare', `--initial-branch=${BRANCH}`, bare]);
  await importCommit(bare, null, `${models} models`, filesOf(models));
}

/** One more commit on the branch; the files are all that it changes. */
export async function addCommit(
  bare: string,
  subject: string,
  files: Iterable<[string, string]>,
): Promise<void> {
  await importCommit(bare, `refs/heads/${BRANCH}^0`, subject, files);
}

export function releaseText(version: string): string {
  return `apiVersion: switchback/v1alpha1\nkind: Release\nversion: "${version}"\n`;
}

export function* versionFiles(folder: string, version: string): Generator<[string, string]> {
  const at = `models/${folder}/versions/${version}`;
  const model = sha256(`model of ${folder} ${version}`);
  const golden = sha256(`golden answers of ${folder} ${version}`);
  yield [`${at}/version.yaml`, versionText(model, golden)];
  yield [`${at}/model.onnx`, pointer(model, 418_220)];
  yield [`${at}/golden.json`, pointer(golden, 30_112)];
}

function* filesOf(models: number): Generator<[string, string]> {
  for (const [index, name] of ENVIRONMENTS.entries())
    yield [`environments/${name}/environment.yaml`, environmentText(ENVIRONMENTS[index - 1])];
  for (let index = 0; index < models; index++) {
    const folder = folderOf(index);
    yield [`models/${folder}/model.yaml`, 'apiVersion: switchback/v1alpha1\nkind: Model\nowners: [team]\n'];
    yield* versionFiles(folder, '1.0.0');
    for (const name of ENVIRONMENTS)
      yield [`environments/${name}/${folder}/release.yaml`, releaseText('1.0.0')];
  }
}

function environmentText(upstream: string | undefined): string {
  return [
    'apiVersion: switchback/v1alpha1',
    'kind: Environment',
    ...(upstream === undefined ? [] : [`promotesFrom: ${upstream}`]),
    'target: { local: {} }',
    'mode: act',
    'promotion: { by: person }',
    'defaults: { objectives: { available: { target: 99.9%, breach: rollback } } }',
    '',
  ].join('\n');
}

function versionText(model: string, golden: string): string {
  return [
    'apiVersion: switchback/v1alpha1',
    'kind: ModelVersion',
    'artifacts:',
    `  model.onnx: { sha256: "${model}", size: 418220 }`,
    `  golden.json: { sha256: "${golden}", size: 30112, tolerance: 0.00001 }`,
    'signature:',
    '  inputs: { features: { datatype: FP32, shape: [-1, 30] } }',
    '  outputs: { score: { datatype: FP32, shape: [-1, 1] } }',
    'framework: { name: scikit-learn, version: "1.9.1" }',
    '',
  ].join('\n');
}

function pointer(sha: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha}\nsize ${size}\n`;
}

async function importCommit(
  bare: string,
  from: string | null,
  subject: string,
  files: Iterable<[string, string]>,
): Promise<void> {
  const child = spawn('git', ['-C', bare, 'fast-import', '--quiet', '--force'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  const write = async (text: string): Promise<void> => {
    if (!child.stdin.write(text)) await once(child.stdin, 'drain');
  };
  await write(`commit refs/heads/${BRANCH}\ncommitter ${AUTHOR}\n${data(subject)}`);
  if (from !== null) await write(`from ${from}\n`);
  for (const [path, text] of files) await write(`M 100644 inline ${path}\n${data(text)}`);
  child.stdin.end('done\n');
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

async function git(args: readonly string[]): Promise<void> {
  const [code] = await once(spawn('git', args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
