import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTO_LFS, SET_UP_LFS } from '../desired/lfs-remedy.ts';
import { SwitchbackError } from '../error.ts';
import { hasGitLfs } from '../remote/world.fixture.ts';
import { GIT_ATTRIBUTES } from '../repository/lfs/tracked.ts';
import { type Clone, clone, EXAMPLE, pushed, VERSION } from './validate/clone.fixture.ts';
import { type Validation, validate } from './validate.ts';

const NEW = 'models/screening/versions/1.1.0';
const signal = new AbortController().signal;

/** A copy of the good version under a label that no commit has. */
async function addVersion({ work }: Pick<Clone, 'work'>, { at = NEW, isRight = true } = {}): Promise<void> {
  await cp(join(EXAMPLE, VERSION), join(work, at), { recursive: true });
  if (!isRight) await edit(work, at, text => text.replace('75b6e33b', '00000000'));
}

const correct = ({ work }: Pick<Clone, 'work'>, at = NEW) =>
  edit(work, at, text => text.replace('00000000', '75b6e33b'));

async function edit(work: string, at: string, change: (text: string) => string): Promise<void> {
  const path = join(work, at, 'version.yaml');
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function commit({ git }: Clone, message: string): Promise<string> {
  await git('add', '--all');
  await git('commit', '--quiet', '-m', message);
  return git('rev-parse', '--short=7', 'HEAD');
}

/** The last command in a remedy, as a person would paste it. */
const commandIn = (remedy: string | undefined): string =>
  /(?:: )(git .*)$/.exec(remedy ?? '')?.[1] ?? 'false';

describe.skipIf(!hasGitLfs())('a version that is wrong and committed, but not pushed,', () => {
  it('is corrected and the commit amended, as it is said at each step', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addVersion(it, { isRight: false });
    const made = await commit(it, 'one more');
    const amend = `amend ${made}, which nobody else has: git add ${NEW} && git commit --amend --no-edit`;

    expect(await it.problems()).toMatchObject([
      { code: 'E_ARTIFACT_DIFFERS', remedy: expect.stringContaining(`into version.yaml; then ${amend}`) },
    ]);
    await correct(it);
    const [changed, ...others] = await it.problems();
    expect(changed).toMatchObject({
      code: 'E_VERSION_CHANGED',
      remedy: `If it is as it should be now, ${amend}`,
    });
    expect(others).toEqual([]);
    await it.shell(commandIn(changed?.remedy));

    expect(await it.problems()).toEqual([]);
    await it.git('push', '--quiet');
    expect(await it.remoteProblems()).toEqual([]);
  });

  it('is folded into its commit by one command, also where others follow and the correction is among them', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addVersion(it, { isRight: false });
    const made = await commit(it, 'one more');
    await appendFile(join(it.work, 'README.md'), '\n');
    await correct(it);
    await commit(it, 'corrected');

    const [changed] = await it.problems();
    expect(changed?.remedy).toContain(`make one commit of ${made} and those after it`);
    await it.shell(commandIn(changed?.remedy));

    expect(await it.problems()).toEqual([]);
    expect(await it.git('log', '--format=%s', '@{upstream}..')).toBe('one more');
    await it.git('push', '--quiet');
    expect(await it.remoteProblems()).toEqual([]);
  });

  it('may also get back a file that was right in it', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addVersion(it);
    const made = await commit(it, 'one more');
    await appendFile(join(it.work, NEW, 'model.onnx'), 'x');

    const [wrong] = await it.problems();
    const back = `git checkout ${made} -- ${NEW}/model.onnx`;
    expect(wrong?.remedy).toContain(`bring it back (${back}); if it is right, write its values`);
    await it.shell(back);

    expect(await it.problems()).toEqual([]);
  });

  it('says so of wrong golden answers, too', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await addVersion(it);
    const made = await commit(it, 'one more');
    const attempt = () =>
      Promise.reject(
        new SwitchbackError('E_MODEL_GOLDEN', 'The model does not give its golden answers: score[2] is off.'),
      );

    const { problems } = await validate({
      ...{ folder: it.work, signal, attempt },
      environment: it.environment,
    });

    expect(problems).toMatchObject([
      {
        code: 'E_MODEL_GOLDEN',
        remedy: expect.stringMatching(`into version\\.yaml; then amend ${made}, .*--amend --no-edit$`),
      },
    ]);
  });
});

describe.skipIf(!hasGitLfs())('a version that others have', () => {
  it('gets a file back that was changed, whether that is committed or not', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    const first = await pushed(it);
    await appendFile(join(it.work, VERSION, 'model.onnx'), 'x');
    const wrong = async () => (await it.problems()).find(({ code }) => code === 'E_ARTIFACT_DIFFERS');
    const release = async () => (await it.problems()).find(({ code }) => code === 'E_REFERENCE');
    const uncommitted = await wrong();
    await commit(it, 'other bytes');

    expect(commandIn(uncommitted?.remedy)).toBe(`git checkout ${first} -- ${VERSION}/model.onnx`);
    expect(await wrong()).toEqual(uncommitted);
    expect((await release())?.remedy).toBe(
      `Name another version here, or mend ${VERSION}/version.yaml as is said there.`,
    );
    await it.shell(commandIn(uncommitted?.remedy));
    expect(await it.problems()).toEqual([]);
  });

  it('and that never was right goes to a new label, and may leave its old one', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await addVersion(it, { isRight: false });
    await pushed(it);
    await it.folder.git(['clone', '--quiet', 'models.git', 'fresh']);
    const [wrong] = await it.problems('fresh');
    const other = NEW.replace('1.1.0', '1.1.1');

    const [command] = /git mv \S+ \S+<new label>/.exec(wrong?.remedy ?? '') ?? [''];
    await it.shell(command.replace('<new label>', '1.1.1'), 'fresh');
    await correct({ work: join(it.folder.path, 'fresh') }, other);
    await it.shell('git commit --quiet --all -m "a new label"', 'fresh');

    expect(await it.problems('fresh')).toEqual([]);
    await it.shell('git push --quiet', 'fresh');
    expect(await it.remoteProblems()).toEqual([]);
  });
});

describe.skipIf(!hasGitLfs())('raw weights from a client without git-lfs', () => {
  it('are named before they are committed, and after a push in the clone of somebody with git-lfs', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    const elsewhere = { ...it.environment, HOME: join(it.folder.path, 'elsewhere') };
    const there = (...args: string[]) => it.folder.git(args, { at: 'without', env: elsewhere });
    await it.folder.git(['clone', '--quiet', 'models.git', 'without'], { env: elsewhere });
    const without = join(it.folder.path, 'without');
    await addVersion({ work: without });
    const attempt = async () => {};
    const before = await validate({ folder: without, signal, attempt, environment: elsewhere });
    await there('add', '--all');
    await there('commit', '--quiet', '-m', 'by hand');
    await there('push', '--quiet');
    const raw = await there('rev-parse', 'HEAD');

    await it.folder.git(['clone', '--quiet', 'models.git', 'fresh']);
    const found = await it.problems('fresh');
    await it.shell(INTO_LFS, 'fresh');

    expect(before.problems.map(({ remedy }) => remedy)).toEqual([
      `Run, before you add it: ${SET_UP_LFS}`,
      `Run, before you add it: ${SET_UP_LFS}`,
    ]);
    expect(found).toMatchObject(
      ['model.onnx', 'golden.json'].map(file => ({
        ...{ code: 'E_RAW_ARTIFACT', severity: 'error', remedy: `Run: ${INTO_LFS}` },
        message: expect.stringContaining(`${NEW}/${file} is in git itself`),
      })),
    );
    expect(await it.problems('fresh')).toEqual([]);
    expect(await it.folder.git(['status', '--porcelain'], { at: 'fresh' })).toBe('');
    // A new commit, and no rewritten one.
    expect(await it.folder.git(['rev-parse', 'HEAD^'], { at: 'fresh' })).toBe(raw);
    await it.shell('git push --quiet', 'fresh');
    expect(await it.remoteProblems()).toEqual([]);
  });
});

describe.skipIf(!hasGitLfs())('where no upstream says what others have', () => {
  const look = async (it: Clone): Promise<Validation> =>
    validate({ folder: it.work, signal, attempt: async () => {}, environment: it.environment });
  const labels = (models: number) => ({ tried: models, problems: [] });

  it('a branch without one tries what no branch of the remote has', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await it.git('checkout', '--quiet', '-b', 'more', '--no-track');
    expect(await look(it)).toMatchObject(labels(0));
    await addVersion(it);
    await commit(it, 'one more');

    expect(await look(it)).toMatchObject(labels(1));
    await it.git('rm', '-r', '--quiet', NEW);
    await it.git('rm', '-r', '--quiet', VERSION);
    await it.git('commit', '--quiet', '-m', 'both gone');
    expect((await it.problems()).filter(({ code }) => code === 'E_VERSION_CHANGED')).toMatchObject([
      { path: `${VERSION}/version.yaml` },
    ]);
  });

  it('a repository that was only just begun tries all it has, and says that others may have a commit', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await addVersion(it, { isRight: false });
    const made = await commit(it, 'begin');

    const begun = await look(it);
    expect(begun.tried).toBe(5);
    expect(begun.problems).toMatchObject([
      {
        code: 'E_ARTIFACT_DIFFERS',
        remedy: expect.stringContaining(`amend ${made}, unless others or a controller have it`),
      },
    ]);
    await correct(it);
    await it.shell(commandIn((await it.problems())[0]?.remedy));
    expect(await look(it)).toMatchObject(labels(6));
  });

  it('a repository that may be the one that a controller watches misses a version that is gone', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await commit(it, 'begin');
    await rm(join(it.work, VERSION), { recursive: true });
    const gone = async () => (await it.problems()).find(({ code }) => code === 'E_VERSION_CHANGED');
    const uncommitted = await gone();
    await it.git('commit', '--quiet', '--all', '-m', 'gone');
    const committed = await gone();

    for (const found of [uncommitted, committed])
      expect(found?.message).toContain('is gone, and versions are add-only');
    await it.shell(commandIn(committed?.remedy));
    expect(await it.problems()).toEqual([]);
  });
});

describe.skipIf(!hasGitLfs())('a version that others have,', () => {
  const refuses = async (): Promise<void> => {
    throw new SwitchbackError('E_MODEL_GOLDEN', 'The graph answers otherwise: row 3: score is 0.1.');
  };

  it('is not tried, which is said; if it is asked for it is, and the way that is left is told', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    const { folder, environment } = { folder: it.work, environment: it.environment };

    const found = await validate({ folder, environment, signal, attempt: refuses });
    const all = await validate({ folder, environment, signal, attempt: refuses, triesAll: true });

    expect(found).toMatchObject({ problems: [], tried: 0 });
    expect(found.untried).toBeGreaterThan(0);
    expect(all).toMatchObject({ tried: found.untried, untried: 0 });
    expect(all.problems[0]).toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('row 3: score is 0.1'),
      remedy: expect.stringMatching(/^Others have this version, and versions never change: .* new label/),
    });
  });
});
