import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SET_UP_LFS, trackByLfs } from '../desired/lfs-remedy.ts';
import { GIT_ATTRIBUTES } from '../repository/lfs/tracked.ts';
import { validate } from './validate.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/model-repo', import.meta.url));
const signal = new AbortController().signal;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-validate-'));
  await cp(EXAMPLE, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What graphs answer is tried by a test of its own. */
const attempt = async () => {};
const problems = async () => (await validate({ folder, signal, attempt })).problems;

describe('validate', () => {
  it('finds the example well but for weights that are in no LFS, and names the command that mends it', async () => {
    const found = await validate({ folder, signal, attempt });

    expect(found).toMatchObject({ models: 5, versions: 5, environments: 3, tried: 5, notes: [] });
    expect(new Set(found.problems.map(({ code }) => code))).toEqual(new Set(['W_RAW_ARTIFACT']));
    expect(found.problems[0]?.remedy).toBe(`Before its first commit, in a git repository: ${trackByLfs()}`);
  });

  it('has nothing against weights in the working tree that git sends through LFS', async () => {
    execFileSync('git', ['init', '--quiet', folder]);
    execFileSync('git', ['-C', folder, 'config', 'filter.lfs.clean', 'git-lfs clean -- %f']);
    await writeFile(join(folder, '.gitattributes'), GIT_ATTRIBUTES);

    expect(await problems()).toEqual([]);
  });

  it('says before the commit that weights would go into git itself, and which of two settings is missing', async () => {
    const nobody = { HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    const look = async () => (await validate({ folder, signal, attempt, environment: nobody })).problems;
    execFileSync('git', ['init', '--quiet', folder]);
    const untracked = await look();
    await writeFile(join(folder, '.gitattributes'), GIT_ATTRIBUTES);
    const unfiltered = await look();

    const raw = { code: 'E_RAW_ARTIFACT', severity: 'error', line: 4, field: 'artifacts.model.onnx' };
    expect(untracked).toHaveLength(10);
    expect(untracked).toContainEqual(
      expect.objectContaining({
        ...raw,
        message: expect.stringMatching(
          /:4 artifacts\.model\.onnx: models\/.*\.onnx would be .*\.gitattributes does/,
        ),
        remedy: `Run, before you add it: ${trackByLfs()}`,
      }),
    );
    expect(unfiltered).toHaveLength(10);
    expect(unfiltered).toContainEqual(
      expect.objectContaining({
        ...raw,
        message: expect.stringContaining('Git LFS is not set up here'),
        remedy: `Run, before you add it: ${SET_UP_LFS}`,
      }),
    );
  });

  it('names file, line and field of what is wrong, and the nearest name', async () => {
    await appendFile(join(folder, 'environments/prod/environment.yaml'), 'promotesFrm: staging\n');

    const [problem] = (await problems()).filter(({ severity }) => severity === 'error');

    expect(problem).toMatchObject({
      code: 'E_MANIFEST_FIELD',
      path: 'environments/prod/environment.yaml',
      field: 'promotesFrm',
      remedy: 'Did you mean "promotesFrom"?',
    });
    expect(problem?.line).toBeGreaterThan(5);
  });

  it('finds bytes that are not those of the version, and links', async () => {
    await appendFile(join(folder, 'models/triage/versions/1.0.0/model.onnx'), 'x');
    await rm(join(folder, 'environments/prod/screening/release.yaml'));
    await symlink('/etc/passwd', join(folder, 'environments/prod/screening/release.yaml'));

    expect((await problems()).map(({ code }) => code)).toEqual(
      expect.arrayContaining(['E_ARTIFACT_DIFFERS', 'E_FILE_KIND']),
    );
  });

  it('says what it is at, and stops when it is asked to', async () => {
    const said: string[] = [];
    const stop = new AbortController();
    const progress = (doing: string): void => {
      said.push(doing);
      if (doing.startsWith('reading')) stop.abort();
    };

    await expect(validate({ folder, signal: stop.signal, progress, attempt })).rejects.toThrow(/abort/);

    expect(said).toEqual([
      `listing ${folder}`,
      'looking at the history of the clone',
      expect.stringMatching(/^reading \d+ files$/),
    ]);
  });

  it('says of a manifest with a secret in it where that is, and not what it is', async () => {
    const secret = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
    await appendFile(join(folder, 'environments/prod/environment.yaml'), `# ${secret}\n`);

    const found = await validate({ folder, signal, attempt });

    expect(found.problems).toContainEqual(
      expect.objectContaining({ code: 'E_MANIFEST_SECRET', path: 'environments/prod/environment.yaml' }),
    );
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  it('says that a folder holds no model repository', async () => {
    await expect(validate({ folder: join(folder, 'models'), signal })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    });
  });
});
