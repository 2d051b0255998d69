import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parsePointer } from '../repository/lfs/pointer.ts';
import { type Seed, seedRepository } from './seed.ts';
import { remoteServer } from './server.ts';
import { type Folder, hasGitLfs, temporaryFolder } from './world.fixture.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/model-repo', import.meta.url));
const MODEL = 'models/screening/versions/1.0.0/model.onnx';

function seed(folder: Folder, more: Partial<Seed> = {}): Promise<string> {
  return seedRepository({
    bare: join(folder.path, 'models.git'),
    from: EXAMPLE,
    branch: 'main',
    message: 'Three models in three environments',
    at: 1_700_000_000_000,
    author: { name: 'Ada', email: 'ada@example.org' },
    ...more,
  });
}

async function plainFolder(folder: Folder, files: Record<string, string>): Promise<string> {
  const from = join(folder.path, 'plain');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(from, path, '..'), { recursive: true });
    await writeFile(join(from, path), content);
  }
  return from;
}

describe('seedRepository', () => {
  it('commits a folder with pointers for artifacts and their bytes in lfs/objects', async () => {
    await using folder = await temporaryFolder();

    const commit = await seed(folder);

    const git = (...args: string[]): Promise<string> => folder.git(args, { at: 'models.git' });
    expect(await git('rev-parse', 'main')).toBe(commit);
    expect(await git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(await git('fsck', '--strict')).toBe('');
    expect(await git('config', 'http.receivepack')).toBe('true');
    const pointer = parsePointer(Buffer.from(`${await git('cat-file', 'blob', `main:${MODEL}`)}\n`));
    if (pointer.kind !== 'pointer') throw new Error(`${MODEL} is no pointer`);
    const { digest } = pointer;
    const object = join(
      folder.path,
      'models.git/lfs/objects',
      digest.slice(0, 2),
      digest.slice(2, 4),
      digest,
    );
    expect(await readFile(object)).toEqual(await readFile(join(EXAMPLE, MODEL)));
    expect((await stat(object)).size).toBe(pointer.sizeBytes);
    expect(await git('cat-file', 'blob', 'main:environments/prod/environment.yaml')).toBe(
      (await readFile(join(EXAMPLE, 'environments/prod/environment.yaml'), 'utf8')).trimEnd(),
    );
  });

  it('gives the equal commit for equal input, also a second time into the same repository', async () => {
    await using one = await temporaryFolder();
    await using two = await temporaryFolder();

    const first = await seed(one);

    expect(await seed(one)).toBe(first);
    expect(await seed(two)).toBe(first);
    expect(await seed(two, { branch: 'other', at: 1_700_000_001_000 })).not.toBe(first);
  });

  it('never replaces a branch that stands', async () => {
    await using folder = await temporaryFolder();
    const first = await seed(folder);

    const again = seed(folder, { message: 'Something else' });

    await expect(again).rejects.toMatchObject({ code: 'E_CONFLICT', details: { standing: first } });
    expect(await folder.git(['rev-parse', 'main'], { at: 'models.git' })).toBe(first);
  });

  it('marks the same files for LFS that it made pointers of, as git itself understands it', async () => {
    await using folder = await temporaryFolder();
    const paths = [
      'models/fraud/versions/1.0.0/model.onnx',
      'models/team/fraud/versions/1.0.0/deep/other.onnx',
      'models/fraud/versions/1.0.0/golden.json',
      'models/fraud/versions/1.0.0/profile.json',
      'models/fraud/versions/1.0.0/version.yaml',
      'models/fraud/versions/1.0.0/notes.json',
      'models/fraud/golden.json',
      'docs/model.onnx',
    ];
    const from = await plainFolder(folder, Object.fromEntries(paths.map(path => [path, path])));
    await seed(folder, { from });
    await folder.git(['clone', '--quiet', '--no-checkout', join(folder.path, 'models.git'), 'work']);
    await folder.git(['reset', '--quiet'], { at: 'work' });
    await folder.git(['show', 'main:.gitattributes'], { at: 'work' });

    const attributes = await folder.git(['check-attr', '--cached', 'filter', '--', ...paths], { at: 'work' });
    const byGit = paths.map(path => attributes.includes(`${path}: filter: lfs`));
    const blobs = await Promise.all(
      paths.map(path => folder.git(['cat-file', 'blob', `main:${path}`], { at: 'work' })),
    );
    const byUs = blobs.map(blob => parsePointer(Buffer.from(`${blob}\n`)).kind === 'pointer');

    expect(byUs).toEqual([true, true, true, true, false, false, false, false]);
    expect(byGit).toEqual(byUs);
  });

  it('refuses a folder with a link in it', async () => {
    await using folder = await temporaryFolder();
    const from = await plainFolder(folder, { 'README.md': 'hello' });
    await symlink('/etc/hostname', join(from, 'link'));

    await expect(seed(folder, { from })).rejects.toMatchObject({
      code: 'E_FILE_KIND',
      message: expect.stringContaining('link'),
    });
  });

  it('refuses a branch that is no ref name, before anything is made', async () => {
    await using folder = await temporaryFolder();

    await expect(seed(folder, { branch: '--upload-pack=x' })).rejects.toMatchObject({ code: 'E_GIT_REF' });
    expect(existsSync(join(folder.path, 'models.git'))).toBe(false);
  });
});

describe.skipIf(!hasGitLfs())('a seeded repository and the real git-lfs', () => {
  it('clones small, pulls the weights when asked, and pushes new ones', async () => {
    await using folder = await temporaryFolder();
    await seed(folder);
    await using server = await remoteServer({ directory: folder.path });
    await folder.git(['lfs', 'install', '--skip-repo']);

    await folder.git(['clone', '--quiet', server.url('models'), 'work']);
    const cloned = parsePointer(await readFile(join(folder.path, 'work', MODEL)));
    await folder.git(['lfs', 'pull', '--exclude='], { at: 'work' });
    const pulled = await readFile(join(folder.path, 'work', MODEL));

    expect(cloned.kind).toBe('pointer');
    expect(pulled).toEqual(await readFile(join(EXAMPLE, MODEL)));
    expect(await folder.git(['status', '--porcelain'], { at: 'work' })).toBe('');

    const added = 'models/screening/versions/2.0.0/model.onnx';
    await mkdir(join(folder.path, 'work', added, '..'), { recursive: true });
    await writeFile(join(folder.path, 'work', added), 'other weights');
    await folder.git(['add', added], { at: 'work' });
    await folder.git(['commit', '--quiet', '-m', 'Register 2.0.0'], { at: 'work' });
    await folder.git(['push', 'origin', 'main'], { at: 'work' });
    await folder.git(['clone', '--quiet', server.url('models'), 'fresh']);
    await folder.git(['lfs', 'pull', '--exclude='], { at: 'fresh' });

    expect(await readFile(join(folder.path, 'fresh', added), 'utf8')).toBe('other weights');
    expect(await folder.git(['lfs', 'fsck'], { at: 'fresh' })).toContain('OK');
  });
});
