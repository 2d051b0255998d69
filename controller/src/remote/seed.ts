import { mkdir, mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommitSha, type Instant } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';
import { makeCommit } from '../repository/git-cli/commit.ts';
import { gitEnvironment } from '../repository/git-cli/environment.ts';
import { FATAL, type Git, gitRunner } from '../repository/git-cli/run.ts';
import { lfsDirectory } from '../repository/lfs/local-directory.ts';
import { hashFile } from '../repository/lfs/object-folder.ts';
import { formatPointer } from '../repository/lfs/pointer.ts';
import { GIT_ATTRIBUTES, isTracked, LFS_CONFIG } from '../repository/lfs/tracked.ts';
import { qualifiedRef } from '../repository/ref.ts';
import type { NewCommit } from '../repository/repository.ts';
import { listFiles } from './plain-folder.ts';

const SEED_TIMEOUT_MS = 120_000;
/** A manifest or a page of text; what is larger belongs into LFS. */
const LARGEST_TEXT = 4 * 2 ** 20;

export interface Seed {
  /** The bare repository; made when missing. */
  bare: string;
  /** A plain folder, such as examples/model-repo; a `.gitattributes` or `.lfsconfig` in it is replaced by ours. */
  from: string;
  branch: string;
  message: string;
  at: Instant;
  author: NewCommit['author'];
  signal?: AbortSignal;
}

/**
 * A bare repository with one commit that holds the folder, its large files as LFS objects beside it. Equal input
 * gives the equal commit; a second seeding of the same is harmless, of something else is refused.
 */
export async function seedRepository(seed: Seed): Promise<CommitSha> {
  const { bare, from, branch, message, at, author } = seed;
  const ref = qualifiedRef(branch);
  const bound = AbortSignal.timeout(SEED_TIMEOUT_MS);
  const signal = seed.signal === undefined ? bound : AbortSignal.any([seed.signal, bound]);
  await mkdir(bare, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'switchback-seed-'));
  try {
    const git = gitRunner({
      directory: bare,
      home: scratch,
      environment: gitEnvironment({ kind: 'file', home: scratch, extra: {} }),
      secrets: [],
    });
    await openBare(git, ref, signal);
    const edits = await readFolder(from, bare, signal);
    const commit = await makeCommit({ git, scratch }, { parent: null, edits, message, at, author }, signal);
    await setRef(git, ref, commit, signal);
    return commit;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function openBare(git: Git, ref: string, signal: AbortSignal): Promise<void> {
  await git.run({ args: ['init', '--quiet', '--bare', '--template='], signal });
  await git.run({ args: ['symbolic-ref', 'HEAD', ref], signal });
  await git.run({ args: ['config', 'http.receivepack', 'true'], signal });
}

/** The tree to commit; objects go to where the bare repository keeps them before any pointer names them. */
async function readFolder(
  from: string,
  bare: string,
  signal: AbortSignal,
): Promise<Map<string, string | Buffer>> {
  const objects = lfsDirectory({ repository: bare });
  const edits = new Map<string, string | Buffer>();
  for (const path of await listFiles(from)) {
    const file = join(from, path);
    if (isTracked(path)) {
      const object = await identify(file, signal);
      await objects.upload([{ ...object, file }], signal);
      edits.set(path, formatPointer(object));
    } else {
      edits.set(path, await readText(path, file));
    }
  }
  edits.set('.gitattributes', GIT_ATTRIBUTES);
  edits.set('.lfsconfig', LFS_CONFIG);
  return edits;
}

async function identify(file: string, signal: AbortSignal): ReturnType<typeof hashFile> {
  await using handle = await open(file, 'r');
  return await hashFile(handle, signal);
}

async function readText(path: string, file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size <= LARGEST_TEXT) return readFile(file);
  throw new SwitchbackError(
    'E_FILE_KIND',
    `${path} has ${size} bytes and is no artifact of a version; put it beside a version.yaml or leave it out.`,
  );
}

async function setRef(git: Git, ref: string, commit: CommitSha, signal: AbortSignal): Promise<void> {
  const absent = '0'.repeat(40);
  const update = await git.run({
    args: ['update-ref', ref, commit, absent],
    signal,
    accept: [0, FATAL],
  });
  if (update.code === 0) return;
  const { stdout } = await git.run({
    args: ['rev-parse', '--verify', '--quiet', '--end-of-options', ref],
    signal,
    accept: 'any',
  });
  const standing = stdout.toString('latin1').trim();
  if (standing === commit) return;
  throw new SwitchbackError(
    'E_CONFLICT',
    `The repository has a branch ${ref} already, with other content; seed an empty folder.`,
    { details: { ref, standing: CommitSha.safeParse(standing).data ?? null } },
  );
}
