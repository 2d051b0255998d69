import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Person } from '../workspace/person.ts';
import { gitCredential, lfsBySsh } from './lfs-access.ts';

const signal = new AbortController().signal;
const URL_OF_LFS = new URL('https://host.example/team/models.git/info/lfs');

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'switchback-access-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function person(more: Record<string, string> = {}): Person {
  const environment = {
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_NOSYSTEM: '1',
    ...more,
  };
  return { name: 'Mei', email: 'mei@example.com', environment };
}

async function program(name: string, text: string): Promise<string> {
  const file = join(home, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

describe('rights for LFS', () => {
  it("come from the person's own credential helper", async () => {
    const helper = await program('helper', 'echo username=mei; echo password=s3cret');
    await writeFile(join(home, '.gitconfig'), `[credential]\n helper = ${helper}\n`);

    const header = await gitCredential(URL_OF_LFS, person(), signal);

    expect(header).toBe(`Basic ${Buffer.from('mei:s3cret').toString('base64')}`);
  });

  it('are none where no helper knows any, and nobody is asked at a terminal', async () => {
    expect(await gitCredential(URL_OF_LFS, person({ GIT_ASKPASS: 'false' }), signal)).toBeNull();
  });

  it('come from the forge over ssh, with where the objects go', async () => {
    const answer =
      '{"href":"https://host.example/models.git/info/lfs","header":{"Authorization":"RemoteAuth x"}}';
    const ssh = await program('ssh', `printf '%s\\n' "$@" > ${join(home, 'called')}; echo '${answer}'`);

    const granted = await lfsBySsh(
      'ssh://git@host.example:2222/team/models.git',
      person({ GIT_SSH_COMMAND: ssh }),
      signal,
    );

    expect(granted).toEqual({
      url: 'https://host.example/models.git/info/lfs',
      authorization: 'RemoteAuth x',
    });
    expect((await readFile(join(home, 'called'), 'utf8')).trim().split('\n')).toEqual([
      '-p',
      '2222',
      'git@host.example',
      'git-lfs-authenticate team/models.git upload',
    ]);
  });

  it('are missing in words when the forge says nothing over ssh', async () => {
    const ssh = await program('ssh', 'echo "no such repository" >&2; exit 1');

    await expect(
      lfsBySsh('git@host.example:team/models.git', person({ GIT_SSH_COMMAND: ssh }), signal),
    ).rejects.toMatchObject({
      code: 'E_LFS_UNREACHABLE',
      message: expect.stringMatching(/git@host\.example .*--lfs/),
    });
  });
});
