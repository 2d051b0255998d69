import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { register, seedRepository } from '@switchback-ml/controller/command';
import { ModelName, VersionLabel } from '@switchback-ml/schemas';
import { BRANCH } from '../../../demo/place.ts';
import { MODEL, makeModelFolder } from '../../e2e/model-folder.fixture.ts';
import { ENVIRONMENTS } from './model-folder.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../../examples/candidates/nan', import.meta.url));
const VERSION = '2.0.0';

/** The bad version as a person registers it: golden answers, and the manifest for answers of other bytes. */
export interface Template {
  golden: { text: string };
  manifest(golden: string): string;
}

/** Registers the candidate without an answer for some rows once, in a repository of its own. */
export async function makeTemplate(): Promise<Template> {
  const directory = await mkdtemp(join(tmpdir(), 'switchback-template-'));
  try {
    const bare = join(directory, 'models.git');
    await makeModelFolder(join(directory, 'folder'), ENVIRONMENTS);
    const author = { name: 'Example', email: 'example@localhost' };
    const seed = { bare, from: join(directory, 'folder'), branch: BRANCH, message: 'One model', at: 0 };
    await seedRepository({ ...seed, author });
    await registerCandidate(bare, directory);
    const path = `${BRANCH}:models/${MODEL}/versions/${VERSION}/version.yaml`;
    const { stdout: text } = await run('git', ['--git-dir', bare, 'show', path]);
    const [, sha256 = '', size = ''] = /golden\.json:\s+sha256: "(\w+)"\s+size: (\d+)/.exec(text) ?? [];
    if (sha256 === '') throw new Error(`no golden answers in ${text}`);
    const object = join(bare, 'lfs/objects', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    return {
      golden: { text: await readFile(object, 'utf8') },
      manifest: golden =>
        text
          .replace(sha256, createHash('sha256').update(golden).digest('hex'))
          .replace(`size: ${size}\n`, `size: ${Buffer.byteLength(golden)}\n`),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function registerCandidate(repo: string, directory: string): Promise<void> {
  const request = {
    file: join(folder, 'model.onnx'),
    model: ModelName.parse(MODEL),
    folder: MODEL,
    version: VersionLabel.parse(VERSION),
    samples: join(folder, 'samples.csv'),
    rows: 'public' as const,
    facts: { facts: join(folder, 'facts.json') },
  };
  const environment = { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' };
  const signal = AbortSignal.timeout(60_000);
  await register(request, { repo, state: join(directory, 'author'), directory, environment, signal });
}
