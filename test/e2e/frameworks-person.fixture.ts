import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BRANCH } from '../../demo/place.ts';
import { candidateFolder, type Framed, MODELS, readSamples } from './frameworks-samples.fixture.ts';

const run = promisify(execFile);
const HEAD = 'apiVersion: switchback/v1alpha1\n';

/** Somebody who ships models with git and an editor, past every command that would have looked at them. */
export class Shipper {
  readonly #clone: string;

  private constructor(clone: string) {
    this.#clone = clone;
  }

  static async clone(url: string, directory: string): Promise<Shipper> {
    await git(dirname(directory), 'clone', '--quiet', '--branch', BRANCH, url, directory);
    return new Shipper(directory);
  }

  /** Commits a candidate's graph as a version, beside the answers that its framework gave; the commit. */
  async ship(candidate: string, model: Framed, version: string): Promise<string> {
    const folder = `models/${model}/versions/${version}`;
    const graph = await readFile(join(candidateFolder(candidate), 'model.onnx'));
    const golden = Buffer.from(JSON.stringify(readGolden(candidate, model)));
    return this.#push(`${model}: ${version}, by hand`, {
      [`${folder}/model.onnx`]: graph,
      [`${folder}/golden.json`]: golden,
      [`${folder}/version.yaml`]: versionText(model, graph, golden),
    });
  }

  /** Makes a version prod's. */
  release(model: Framed, version: string): Promise<string> {
    const text = `${HEAD}kind: Release\nversion: "${version}"\n`;
    return this.#push(`prod/${model}: ${version}, by hand`, {
      [`environments/prod/${model}/release.yaml`]: text,
    });
  }

  async #push(message: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    await git(this.#clone, 'pull', '--quiet', '--ff-only');
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(this.#clone, dirname(path)), { recursive: true });
      await writeFile(join(this.#clone, path), content);
    }
    await git(this.#clone, 'add', ...Object.keys(files));
    await git(this.#clone, 'commit', '--quiet', '-m', message);
    await git(this.#clone, 'push', '--quiet');
    return (await git(this.#clone, 'rev-parse', 'HEAD')).trim();
  }
}

function readGolden(candidate: string, model: Framed): unknown {
  const { input, width, output } = MODELS[model];
  const samples = readSamples(candidate, model);
  const tensor = (rows: readonly (readonly number[])[]) => ({
    datatype: 'FP32',
    shape: [rows.length, rows[0]?.length ?? width],
    data: rows.flat(),
  });
  return {
    inputs: { [input]: tensor(samples.map(({ row }) => row)) },
    outputs: { [output]: tensor(samples.map(({ answer }) => answer)) },
  };
}

function versionText(model: Framed, graph: Buffer, golden: Buffer): string {
  const { input, width, output, answers } = MODELS[model];
  const stamp = (bytes: Buffer): string =>
    `sha256: "${createHash('sha256').update(bytes).digest('hex')}", size: ${bytes.length}`;
  return `${HEAD}kind: ModelVersion
artifacts:
  model.onnx: { ${stamp(graph)} }
  golden.json: { ${stamp(golden)}, tolerance: 0.00001 }
signature:
  inputs: { ${input}: { datatype: FP32, shape: [-1, ${width}] } }
  outputs: { ${output}: { datatype: FP32, shape: [-1, ${answers}] } }
`;
}

/** Of no settings that this machine's owner happens to have; without LFS, so the bytes stand in git itself. */
async function git(cwd: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ida',
    GIT_AUTHOR_EMAIL: 'ida@localhost',
    GIT_COMMITTER_NAME: 'Ida',
    GIT_COMMITTER_EMAIL: 'ida@localhost',
  };
  return (await run('git', args, { cwd, env, timeout: 20_000 })).stdout;
}
