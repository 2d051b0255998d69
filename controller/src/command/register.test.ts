import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GoldenAnswers, type ModelName, type VersionLabel } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteServer } from '../remote/server.ts';
import { lfsDirectory } from '../repository/lfs/local-directory.ts';
import { parsePointer } from '../repository/lfs/pointer.ts';
import { CANDIDATES, type ModelRepository, modelRepositories } from './model-repository.fixture.ts';
import { type RegisterRequest, register } from './register.ts';
import { openWorkspace } from './workspace/workspace.ts';

const signal = new AbortController().signal;
const BETTER = join(CANDIDATES, 'better');
const FOLDER = 'models/screening/versions/1.1.0';

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
beforeAll(async () => {
  seeds = await modelRepositories();
});
afterAll(() => seeds[Symbol.asyncDispose]());

function better(overrides: Partial<RegisterRequest> = {}): RegisterRequest {
  return {
    file: join(BETTER, 'model.onnx'),
    model: 'screening' as ModelName,
    folder: 'screening',
    version: '1.1.0' as VersionLabel,
    samples: join(BETTER, 'samples.csv'),
    facts: { facts: join(BETTER, 'facts.json') },
    ...overrides,
  };
}

/** The bytes that a pointer in the bare repository stands for. */
async function objectAt({ bare, git }: ModelRepository, path: string): Promise<Buffer> {
  const pointer = parsePointer(Buffer.from(git('show', `main:${path}`)));
  if (pointer.kind !== 'pointer') throw new Error(`${path} is no pointer`);
  const chunks: Uint8Array[] = [];
  const write = async (chunk: Uint8Array): Promise<void> => {
    chunks.push(chunk);
  };
  await lfsDirectory({ repository: bare }).download(pointer, write, signal);
  return Buffer.concat(chunks);
}

/** A table with some of its cells changed. */
async function samplesWith(
  repository: ModelRepository,
  change: (lines: string[]) => string[],
): Promise<string> {
  const lines = (await readFile(join(BETTER, 'samples.csv'), 'utf8')).trimEnd().split('\n');
  const file = join(repository.folder, 'rows.csv');
  await writeFile(file, change(lines).join('\n'));
  return file;
}

describe('register', () => {
  it('adds a version that the controller can read, with its weights and golden answers in LFS', async () => {
    await using repository = await seeds.make();

    const outcome = await register(better({ rows: 'public' }), repository.options);

    expect(repository.git('diff', '--name-only', 'main^', 'main').trim().split('\n')).toEqual(
      ['golden.json', 'model.onnx', 'version.yaml'].map(file => `${FOLDER}/${file}`),
    );
    expect(await objectAt(repository, `${FOLDER}/model.onnx`)).toEqual(
      await readFile(join(BETTER, 'model.onnx')),
    );
    const golden = GoldenAnswers.parse(
      JSON.parse((await objectAt(repository, `${FOLDER}/golden.json`)).toString()),
    );
    expect(golden).toMatchObject({ answers: 'framework', inputs: { features: { shape: [64, 30] } } });
    await using workspace = await openWorkspace({
      target: { url: repository.bare, isDirectory: true, branch: 'main', root: '' },
      person: { name: 'a', email: 'b', environment: {} },
      cache: null,
    });
    const { desired } = await workspace.look(signal);
    expect(desired.problems).toEqual([]);
    const version = desired.models.get('screening' as ModelName)?.versions.at(-1);
    expect(version).toMatchObject({
      label: '1.1.0',
      signature: { inputs: { features: { shape: [-1, 30] } } },
    });
    expect([...(version?.facts ?? [])]).toEqual(
      expect.arrayContaining(['lineage.datasets', 'framework.version']),
    );
    expect(outcome.notes).toEqual(['dev takes it by itself, as the newest.']);
  });

  it('goes over HTTP to a remote and its LFS server as to a folder', async () => {
    await using repository = await seeds.make();
    repository.git('config', 'http.receivepack', 'true');
    const server = await remoteServer({ directory: repository.folder });
    try {
      await register(better(), { ...repository.options, repo: server.url('models') });
    } finally {
      await server.close();
    }

    expect(await objectAt(repository, `${FOLDER}/model.onnx`)).toEqual(
      await readFile(join(BETTER, 'model.onnx')),
    );
  });

  it('refuses a version that exists, and says whether it is the same', async () => {
    await using repository = await seeds.make();
    await register(better(), repository.options);
    const before = repository.git('rev-parse', 'main');

    await expect(register(better(), repository.options)).rejects.toMatchObject({
      code: 'E_CONFLICT',
      message: expect.stringContaining('same model and golden answers'),
    });
    const other = better({
      file: join(CANDIDATES, 'good', 'model.onnx'),
      samples: join(CANDIDATES, 'good', 'samples.csv'),
    });
    await expect(register(other, repository.options)).rejects.toMatchObject({
      code: 'E_CONFLICT',
      message: expect.stringContaining('versions never change'),
    });
    expect(repository.git('rev-parse', 'main')).toBe(before);
  });

  it('refuses a graph that does not answer as the framework did, and leaves git alone', async () => {
    await using repository = await seeds.make();
    const samples = await samplesWith(repository, ([head = '', ...rows]) => [
      head,
      ...rows.map((row, index) => (index === 2 ? row.replace(/[^,]+$/, '0.7') : row)),
    ]);
    const before = repository.git('rev-parse', 'main');

    await expect(register(better({ samples }), repository.options)).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringMatching(
        /row 2 \(counted from 0\): score is 0\.\d+, the framework says 0\.7 .*1 of 64 rows differ/,
      ),
    });
    expect(repository.git('rev-parse', 'main')).toBe(before);
  });

  it("records the graph's answers where there are none of the framework, and warns of that and of few rows", async () => {
    await using repository = await seeds.make();
    const samples = await samplesWith(repository, lines =>
      lines.slice(0, 4).map(line => line.replace(/,[^,]+$/, '')),
    );

    const outcome = await register(better({ samples }), repository.options);

    expect(outcome.notes.join('\n')).toMatch(
      /3 golden rows are few.*\n.*nothing was compared with the framework/,
    );
    const golden = JSON.parse((await objectAt(repository, `${FOLDER}/golden.json`)).toString());
    expect(golden).toMatchObject({ answers: 'graph', outputs: { score: { shape: [3, 1] } } });
  });

  it('makes git know about LFS in a repository that says nothing of it', async () => {
    await using repository = await seeds.make();
    repository.git('update-ref', '-d', 'refs/heads/main');

    await register(better({ model: 'fraud' as ModelName, folder: 'payments/fraud' }), repository.options);

    expect(repository.git('show', 'main:.gitattributes')).toContain('*.onnx filter=lfs');
    expect(repository.git('ls-tree', '-r', '--name-only', 'main')).toContain(
      'models/payments/fraud/versions/1.1.0/version.yaml',
    );
  });

  it('refuses what is no model, and a model name that stands elsewhere', async () => {
    await using repository = await seeds.make();
    const noModel = join(repository.folder, 'model.onnx');
    await cp(join(BETTER, 'facts.json'), noModel);

    await expect(register(better({ file: noModel }), repository.options)).rejects.toMatchObject({
      code: 'E_MODEL_LOAD',
    });
    await expect(register(better({ folder: 'team/screening' }), repository.options)).rejects.toMatchObject({
      code: 'E_CONFLICT',
      message: expect.stringContaining('stands in models/screening'),
    });
  });
});
