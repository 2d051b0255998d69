import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasGitLfs } from '../../remote/world.fixture.ts';
import { GIT_ATTRIBUTES } from '../../repository/lfs/tracked.ts';
import { type Clone, clone, EXAMPLE, pushed, VERSION } from './clone.fixture.ts';

const NEW = 'models/screening/versions/1.1.0';
const [RIGHT, WRONG] = ['75b6e33b', '00000000'];

async function addWrongVersion({ folder, shell }: Clone, at = 'work'): Promise<void> {
  const version = join(folder.path, at, NEW);
  await cp(join(EXAMPLE, VERSION), version, { recursive: true });
  await replace(version, RIGHT, WRONG);
  await shell('git add --all && git commit --quiet -m "one more"', at);
}

async function replace(version: string, from: string, to: string): Promise<void> {
  const path = join(version, 'version.yaml');
  await writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
}

/** Somebody else pushes a commit, and it comes here by a merge. */
async function mergeColleague(it: Clone, pull = 'git pull --quiet --no-rebase --no-edit'): Promise<void> {
  await it.folder.git(['clone', '--quiet', 'models.git', 'colleague']);
  await appendFile(join(it.folder.path, 'colleague', 'README.md'), 'of a colleague\n');
  await it.shell('git commit --quiet --all -m "of a colleague" && git push --quiet', 'colleague');
  await it.shell(pull);
}

/** The last command in a remedy, as a person would paste it. */
const commandIn = (remedy: string | undefined): string => / (git .*)$/.exec(remedy ?? '')?.[1] ?? 'false';

const subjects = async ({ git }: Clone, range: string): Promise<string[]> =>
  (await git('log', '--format=%s', range)).trim().split('\n');

describe.skipIf(!hasGitLfs())('a version that is wrong, and a pull that merged what others did,', () => {
  it('is put on top of that, then amended, and their commit stays theirs', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addWrongVersion(it);
    await mergeColleague(it);

    const [wrong] = await it.problems();
    expect(wrong?.code).toBe('E_ARTIFACT_DIFFERS');
    await replace(join(it.work, NEW), WRONG, RIGHT);
    await it.shell(commandIn(wrong?.remedy));
    const [changed] = await it.problems();
    expect(changed).toMatchObject({
      code: 'E_VERSION_CHANGED',
      remedy: expect.stringMatching(/amend .*--amend --no-edit$/),
    });
    await it.shell(commandIn(changed?.remedy));

    expect(await it.problems()).toEqual([]);
    await it.git('push', '--quiet');
    expect(await subjects(it, 'origin/main')).toEqual(['one more', 'of a colleague', 'begin']);
    expect(await it.git('show', '--format=', '--name-only', 'HEAD')).not.toContain('README.md');
    expect(await it.remoteProblems()).toEqual([]);
  });

  it('is put on top of that and folded where the correction is a commit of its own', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addWrongVersion(it);
    await mergeColleague(it);
    await replace(join(it.work, NEW), WRONG, RIGHT);
    await it.shell('git commit --quiet --all -m corrected');

    for (const step of ['git rebase', 'git reset --soft']) {
      const [changed] = await it.problems();
      expect(commandIn(changed?.remedy)).toContain(step);
      await it.shell(commandIn(changed?.remedy));
    }

    expect(await it.problems()).toEqual([]);
    await it.git('push', '--quiet');
    expect(await subjects(it, 'origin/main')).toEqual(['one more', 'of a colleague', 'begin']);
    expect(await it.remoteProblems()).toEqual([]);
  });

  it('gets a new label where the branch has no upstream, and no commit is rewritten', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await it.git('checkout', '--quiet', '-b', 'more', '--no-track');
    await addWrongVersion(it);
    await mergeColleague(it, 'git fetch --quiet && git merge --quiet --no-edit origin/main');
    const merge = await it.git('rev-parse', 'HEAD');

    const [wrong] = await it.problems();
    await replace(join(it.work, NEW), WRONG, RIGHT);
    const [changed] = await it.problems();
    expect(commandIn(wrong?.remedy)).toBe(`git mv ${NEW} ${NEW.replace('1.1.0', '<new label>')}`);
    expect(commandIn(changed?.remedy)).toBe(commandIn(wrong?.remedy));
    await it.shell(commandIn(changed?.remedy).replace('<new label>', '1.1.1'));
    expect(await it.problems()).toEqual([]);

    await it.shell('git commit --quiet --all -m "a new label"');
    expect(await it.git('rev-parse', 'HEAD^')).toBe(merge);
    expect(await it.problems()).toEqual([]);
    await it.git('push', '--quiet', 'origin', 'more:main');
    expect(await it.remoteProblems()).toEqual([]);
  });

  it('gets a new label where the merge brought what the upstream has not', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await it.shell('git checkout --quiet -b more && git push --quiet -u origin more');
    await addWrongVersion(it);
    await mergeColleague(it, 'git fetch --quiet && git merge --quiet --no-edit origin/main');

    const [wrong] = await it.problems();

    expect(commandIn(wrong?.remedy)).toMatch(/^git mv /);
  });

  it('is not folded where nothing tells what others have', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addWrongVersion(it);
    await mergeColleague(it);
    await it.git('remote', 'remove', 'origin');

    const [wrong] = await it.problems();

    expect(wrong?.remedy).toContain(`others may have it, so its label is lost. Run git mv ${NEW} `);
    expect(wrong?.remedy).not.toMatch(/reset|amend|rebase/);
  });
});

describe.skipIf(!hasGitLfs())('a version of somebody else that a merge brought', () => {
  it('is theirs, although the merge is ours: it is not amended, and is missed where it is gone', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await it.folder.git(['clone', '--quiet', 'models.git', 'colleague']);
    await addWrongVersion(it, 'colleague');
    const right = NEW.replace('1.1.0', '1.2.0');
    await cp(join(EXAMPLE, VERSION), join(it.folder.path, 'colleague', right), { recursive: true });
    const push = 'git add --all && git commit --quiet -m theirs && git push --quiet';
    await it.shell(push, 'colleague');
    await appendFile(join(it.work, 'README.md'), 'ours\n');
    await it.shell('git commit --quiet --all -m ours && git pull --quiet --no-rebase --no-edit');
    await rm(join(it.work, right), { recursive: true });

    expect(await it.problems()).toMatchObject([
      {
        code: 'E_ARTIFACT_DIFFERS',
        remedy: expect.stringContaining(`others have it, so its label is lost. Run git mv ${NEW} `),
      },
      { code: 'E_VERSION_CHANGED', message: expect.stringContaining(`${right}/version.yaml is gone`) },
    ]);
  });
});
