import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { remoteServer } from '../../remote/server.ts';
import { temporaryFolder } from '../../remote/world.fixture.ts';
import { objectOf } from '../../repository/lfs/artifact.contract.ts';
import { openArtifactSink } from './artifact-sink.ts';

it('an upload says in words how much of all files has gone up', async () => {
  await using folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', 'models.git']);
  await using server = await remoteServer({ directory: folder.path });
  const { signal } = new AbortController();
  const said: string[] = [];
  const objects = [];
  for (const [name, size] of [
    ['model.onnx', 2_000_000],
    ['golden.json', 500_000],
  ] as const) {
    const file = join(folder.path, name);
    const bytes = Buffer.alloc(size, name);
    await writeFile(file, bytes);
    objects.push({ ...objectOf(bytes), file });
  }

  const sink = await openArtifactSink({
    target: { url: server.url('models'), isDirectory: false, branch: 'main', root: '' },
    lfs: undefined,
    person: { name: 'Mei', email: 'mei@example.com', environment: {} },
    progress: doing => said.push(doing),
    signal,
  });
  await sink.upload(objects, signal);

  expect(said.length).toBeGreaterThanOrEqual(2);
  expect(said.at(-1)).toBe('uploading: 2.5 of 2.5 MB');
});
