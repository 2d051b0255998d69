import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTO_LFS, OUT_OF_LFS } from '../desired/lfs-remedy.ts';
import { hasGitLfs } from '../remote/world.fixture.ts';
import { GIT_ATTRIBUTES } from '../repository/lfs/tracked.ts';
import { attempt, clone, EXAMPLE, pushed, VERSION } from './validate/clone.fixture.ts';
import { validate } from './validate.ts';

const signal = new AbortController().signal;

describe.skipIf(!hasGitLfs())('the remedy, run as it is printed on a commit that was pushed,', () => {
  it('takes raw weights into LFS, and neither versions nor manifests change by it', async () => {
    await using it = await clone(null);
    await pushed(it);
    expect(new Set((await it.problems()).map(({ remedy }) => remedy))).toEqual(new Set([`Run: ${INTO_LFS}`]));

    await it.shell(INTO_LFS);
    await it.git('push', '--quiet');

    expect(await it.problems()).toEqual([]);
    expect(await it.remoteProblems()).toEqual([]);
    expect(await it.git('show', `HEAD:${VERSION}/model.onnx`)).toMatch(/^version https:\/\/git-lfs/);
    expect(await it.git('show', `HEAD:${VERSION}/version.yaml`)).toMatch(/^apiVersion:/);
    expect(await it.git('status', '--porcelain')).toBe('');
  });

  it('brings manifests back out of LFS that a wide pattern took there', async () => {
    await using it = await clone('models/**/versions/** filter=lfs diff=lfs merge=lfs -text\n');
    const wrong = expect.arrayContaining([
      expect.objectContaining({
        code: 'E_FILE_KIND',
        path: `${VERSION}/version.yaml`,
        message: expect.stringContaining('is in Git LFS, and a manifest has to be in git itself'),
        remedy: `Run: ${OUT_OF_LFS}`,
      }),
    ]);
    expect(await it.problems()).toEqual(wrong);
    await pushed(it);
    expect(await it.problems()).toEqual(wrong);
    expect(await it.remoteProblems()).toEqual(wrong);

    await it.shell(OUT_OF_LFS);
    await it.git('push', '--quiet');

    expect(await it.problems()).toEqual([]);
    expect(await it.remoteProblems()).toEqual([]);
    expect(await it.git('show', `HEAD:${VERSION}/model.onnx`)).toMatch(/^version https:\/\/git-lfs/);
  });
});

describe.skipIf(!hasGitLfs())('in a clone', () => {
  it('a version that was changed after it was pushed names the commit that introduced it', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    const commit = await pushed(it);
    const manifest = join(it.work, VERSION, 'version.yaml');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('[-1, 30]', '[-1, 31]'));

    const problems = await it.problems();

    expect(problems.find(({ code }) => code === 'E_VERSION_CHANGED')).toMatchObject({
      path: `${VERSION}/version.yaml`,
      message: expect.stringContaining(`was changed after ${commit} introduced it`),
      remedy: expect.stringContaining(`git checkout ${commit} -- ${VERSION}`),
    });
  });

  it('a version that was removed is brought back by the command that is named', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    const commit = await pushed(it);
    await rm(join(it.work, VERSION), { recursive: true });
    const gone = async () => (await it.problems()).find(({ code }) => code === 'E_VERSION_CHANGED');

    const found = await gone();
    expect(found?.message).toContain(`is gone, and versions are add-only: ${commit} introduced it`);
    await it.git('commit', '--quiet', '--all', '-m', 'remove it');
    const committed = await gone();
    expect(committed?.remedy).toContain(`git checkout ${commit} --`);

    await it.shell(committed?.remedy.replace('Bring it back: ', '') ?? '');

    expect(await it.problems()).toEqual([]);
  });

  it('a version that never left this clone may go, and so may one whose removal was pushed', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await cp(join(it.work, VERSION), join(it.work, 'models/screening/versions/1.0.1'), { recursive: true });
    await it.git('add', '--all');
    await it.git('commit', '--quiet', '-m', 'one more');
    await it.git('rm', '-r', '--quiet', 'models/screening/versions/1.0.1');
    await it.git('commit', '--quiet', '-m', 'no, not that');

    expect(await it.problems()).toEqual([]);

    await it.git('rm', '-r', '--quiet', 'models/triage');
    await it
      .git('rm', '-r', '--quiet', 'environments/staging/triage', 'environments/prod/triage')
      .catch(() => {});
    await it.git('commit', '--quiet', '-m', 'triage is retired');
    await it.git('push', '--quiet');

    expect((await it.problems()).map(({ code }) => code)).not.toContain('E_VERSION_CHANGED');
  });

  it('only what is not pushed yet is tried, and pointers are not', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    const tried: string[] = [];
    const look = (folder: string) =>
      validate({
        folder,
        signal,
        environment: it.environment,
        attempt: async ({ model }) => void tried.push(model.slice(folder.length + 1)),
      });

    await pushed(it);
    await look(it.work);
    expect(tried).toEqual([]);

    await cp(join(it.work, VERSION), join(it.work, 'models/screening/versions/1.0.1'), { recursive: true });
    await look(it.work);
    expect(tried.splice(0)).toEqual(['models/screening/versions/1.0.1/model.onnx']);

    await it.git('add', '--all');
    await it.git('commit', '--quiet', '-m', 'one more');
    expect(await look(it.work)).toMatchObject({ tried: 1, problems: [] });
    await it.folder.git(['clone', '--quiet', 'work', 'other'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    expect(await look(join(it.folder.path, 'other'))).toMatchObject({ tried: 0, problems: [] });
  });

  it('a shallow one is told that its past is not known', async () => {
    await using it = await clone(GIT_ATTRIBUTES);
    await pushed(it);
    await appendFile(join(it.work, 'README.md'), '\n');
    await pushed(it);
    await it.folder.git(['clone', '--quiet', '--depth=1', `file://${it.folder.path}/models.git`, 'shallow'], {
      env: { GIT_LFS_SKIP_SMUDGE: '1' },
    });

    const found = await validate({
      ...{ folder: join(it.folder.path, 'shallow'), signal, attempt },
      environment: it.environment,
    });

    expect(found).toMatchObject({ problems: [], notes: [expect.stringContaining('git fetch --unshallow')] });
  });

  it('a model repository in a folder of another one has the past of that folder', async () => {
    await using it = await clone(null);
    await rm(join(it.work, 'models'), { recursive: true });
    await rm(join(it.work, 'environments'), { recursive: true });
    await cp(EXAMPLE, join(it.work, 'ml'), { recursive: true });
    await writeFile(join(it.work, '.gitattributes'), GIT_ATTRIBUTES.replaceAll('models/', 'ml/models/'));
    const commit = await pushed(it);
    await rm(join(it.work, 'ml', VERSION), { recursive: true });

    const { problems } = await validate({
      ...{ folder: join(it.work, 'ml'), signal, attempt },
      environment: it.environment,
    });

    expect(problems.find(({ code }) => code === 'E_VERSION_CHANGED')?.message).toContain(
      `${commit} introduced it`,
    );
  });
});
