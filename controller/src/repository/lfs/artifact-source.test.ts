import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { remoteServer } from '../../remote/server.ts';
import { temporaryFolder } from '../../remote/world.fixture.ts';
import { gitRepository } from '../git-cli/index.ts';
import { downloadAll, objectOf } from './artifact.contract.ts';
import { artifactSource } from './artifact-source.ts';
import { lfsConfigProblems } from './lfs-config.ts';
import { bytes, scriptedServer } from './scripted-server.fixture.ts';

const WEIGHTS = Buffer.from('weights of a model');
const OBJECT = objectOf(WEIGHTS);
const signal = new AbortController().signal;

describe('artifactSource', () => {
  it('asks the server beside the repository, wherever an .lfsconfig in it points', async () => {
    await using folder = await temporaryFolder();
    await using foreign = await scriptedServer({ object: [bytes(WEIGHTS)] });
    await folder.git(['init', '--quiet', '--bare', '--initial-branch=main', 'models.git']);
    await using server = await remoteServer({ directory: folder.path });
    const url = server.url('models');
    await folder.git(['clone', '--quiet', url, 'work']);
    const config = `[lfs]\n\tfetchexclude = *\n\turl = ${foreign.url}\n[remote "origin"]\n\tlfsurl = ${foreign.url}\n`;
    await writeFile(join(folder.path, 'work/.lfsconfig'), config);
    await folder.git(['add', '.lfsconfig'], { at: 'work' });
    await folder.git(['commit', '--quiet', '-m', 'Send LFS elsewhere'], { at: 'work' });
    await folder.git(['push', '--quiet', 'origin', 'HEAD:main'], { at: 'work' });
    await fetch(`${url}/info/lfs/objects/${OBJECT.digest}`, { method: 'PUT', body: WEIGHTS });
    await using repository = await gitRepository({
      url,
      directory: await mkdtemp(join(folder.path, 'clone-')),
      allowFile: false,
    });
    const head = await repository.fetch('refs/heads/main', signal);
    const source = artifactSource({
      url,
      isDirectory: false,
      lfsUrl: null,
      authorization: 'Basic c2VjcmV0',
      commits: repository,
      files: () => new Map(),
    });

    const got = await downloadAll(source, OBJECT);

    expect(head.kind).toBe('commit');
    expect(got).toEqual(WEIGHTS);
    expect(foreign.heard).toEqual([]);
    expect(lfsConfigProblems(config).map(({ line, field }) => `${line} ${field}`)).toEqual([
      '3 lfs.url',
      '5 remote.origin.lfsurl',
    ]);
  });

  it('lets the server name the hosts that the operator allows, and no others', async () => {
    await using store = await scriptedServer({ object: [bytes(WEIGHTS)] });
    await using lfs = await scriptedServer({
      batch: [
        (response, { body }) => {
          const [object] = JSON.parse(body).objects;
          const actions = { download: { href: `${store.origin}/object` } };
          response.end(JSON.stringify({ objects: [{ ...object, actions }] }));
        },
      ],
    });
    const settings = {
      url: 'https://host.example/models.git',
      isDirectory: false,
      lfsUrl: lfs.url,
      authorization: 'Basic c2VjcmV0',
      commits: { readBlob: () => Promise.reject(new Error('nothing is in git')) },
      files: () => new Map(),
    };

    const refused = downloadAll(artifactSource(settings), OBJECT);
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('allow this host') });
    const allowed = artifactSource({ ...settings, allowedHosts: [new URL(store.origin).host] });

    expect(await downloadAll(allowed, OBJECT)).toEqual(WEIGHTS);
    // The rights are those of the repository, on another host.
    expect([...lfs.heard, ...store.heard].map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
