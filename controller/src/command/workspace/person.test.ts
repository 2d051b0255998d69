import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPerson, readPersonName } from './person.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'switchback-person-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const ask = (environment: Record<string, string> = {}) => ({
  directory: home,
  environment: { HOME: home, GIT_CONFIG_SYSTEM: '/dev/null', ...environment },
  signal: new AbortController().signal,
});

describe('the person', () => {
  it('is who git says, from the settings of their home', async () => {
    writeFileSync(
      join(home, '.gitconfig'),
      '[user]\n name = Mei\n email = mei@example.com\n[core]\n sshCommand = ssh -i k\n',
    );

    const person = await readPerson(ask());

    expect(person).toMatchObject({ name: 'Mei', email: 'mei@example.com' });
    expect(person.environment['GIT_SSH_COMMAND']).toBe('ssh -i k');
  });

  it('has both of the files that git reads for a person', async () => {
    writeFileSync(join(home, '.gitconfig'), '[user]\n name = Mei\n');
    mkdirSync(join(home, '.config', 'git'), { recursive: true });
    writeFileSync(join(home, '.config', 'git', 'config'), '[user]\n email = mei@example.com\n');

    expect(await readPerson(ask())).toMatchObject({ name: 'Mei', email: 'mei@example.com' });
  });

  it('is told how to say who they are when git does not know', async () => {
    await expect(readPerson(ask())).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('git config --global user.name'),
    });
    expect(await readPersonName(ask())).not.toBe('');
  });

  it('hands to git what credentials may need, and nothing that points it elsewhere', async () => {
    const { environment } = await readPerson(
      ask({
        GIT_AUTHOR_NAME: 'Mei',
        GIT_AUTHOR_EMAIL: 'mei@example.com',
        SSH_AUTH_SOCK: '/agent',
        GH_TOKEN: 'secret',
        GIT_DIR: '/elsewhere',
        GIT_INDEX_FILE: '/elsewhere/index',
        AWS_SECRET_ACCESS_KEY: 'secret',
      }),
    );

    expect(environment).toMatchObject({ SSH_AUTH_SOCK: '/agent', GH_TOKEN: 'secret' });
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['GIT_DIR']));
    expect(environment).not.toHaveProperty('GIT_INDEX_FILE');
    expect(environment).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
  });
});
