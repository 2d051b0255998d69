import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ADA, type ModelRepository, modelRepositories } from '../model-repository.fixture.ts';
import { openWorkspace, type Workspace } from './workspace.ts';
import { type Planned, writeChange } from './write.ts';

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
beforeAll(async () => {
  seeds = await modelRepositories();
});
afterAll(() => seeds[Symbol.asyncDispose]());

const signal = new AbortController().signal;

function workspaceOf(
  { bare, options }: ModelRepository,
  root = '',
  cache: string | null = null,
): Promise<Workspace> {
  return openWorkspace({
    target: { url: bare, isDirectory: true, branch: 'main', root },
    person: { ...ADA, environment: { HOME: String(options.environment['HOME']) } },
    cache,
  });
}

function note(path: string, text: string): Planned {
  return {
    kind: 'change',
    edits: new Map([[path, text]]),
    subject: path,
    paragraphs: [],
    did: path,
    undo: String,
  };
}

describe('writing to the model repository', () => {
  it('plans again from the new head when somebody else was faster, and loses neither change', async () => {
    await using repository = await seeds.make();
    await using mine = await workspaceOf(repository);
    await using theirs = await workspaceOf(repository);
    let plans = 0;

    const outcome = await writeChange(mine, {
      plan: async () => {
        plans += 1;
        if (plans === 1) await writeChange(theirs, { plan: () => note('theirs.txt', 'a'), signal });
        return note('mine.txt', 'b');
      },
      signal,
    });

    expect(plans).toBe(2);
    expect(repository.git('rev-parse', 'main').trim()).toBe(outcome.git?.commit);
    expect(repository.git('ls-tree', '--name-only', 'main').split('\n')).toEqual(
      expect.arrayContaining(['mine.txt', 'theirs.txt']),
    );
  });

  it('gives up with a sentence when the branch never stands still', async () => {
    await using repository = await seeds.make();
    await using mine = await workspaceOf(repository);
    await using theirs = await workspaceOf(repository);
    let plans = 0;

    const writing = writeChange(mine, {
      plan: async () => {
        plans += 1;
        await writeChange(theirs, { plan: () => note(`theirs-${plans}.txt`, 'a'), signal });
        return note('mine.txt', 'b');
      },
      signal,
    });

    await expect(writing).rejects.toMatchObject({ code: 'E_CONFLICT' });
  });

  it('writes below the root of a model repository that is a folder of another, and sees only that', async () => {
    await using repository = await seeds.make();
    await using workspace = await workspaceOf(repository, 'models');

    await writeChange(workspace, {
      plan: ({ view }) => note('environments/x.txt', String([...view.files.keys()].length)),
      signal,
    });

    expect(repository.git('show', 'main:models/environments/x.txt')).toBe('0');
  });

  it('leaves nothing behind in the temporary folder', async () => {
    await using repository = await seeds.make();
    const temporary = join(repository.folder, 'tmp');
    mkdirSync(temporary);
    vi.stubEnv('TMPDIR', temporary);

    {
      await using workspace = await workspaceOf(repository);
      await workspace.look(signal);
      expect(readdirSync(temporary)).toHaveLength(1);
    }

    expect(readdirSync(temporary)).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('keeps its clone for the next command, which takes a temporary one while the first is busy', async () => {
    await using repository = await seeds.make();
    const cache = join(repository.folder, 'person');
    {
      await using first = await workspaceOf(repository, '', cache);
      await using second = await workspaceOf(repository, '', cache);
      await Promise.all([first.look(signal), second.look(signal)]);
    }

    await using third = await workspaceOf(repository, '', cache);
    const { head } = await third.look(signal);

    expect(readdirSync(cache).sort()).toEqual(['clone.git', 'lock.json']);
    expect(repository.git('rev-parse', 'main').trim()).toBe(head);
  });

  it('says that a remote is away rather than waiting for it', async () => {
    await using repository = await seeds.make();
    await using workspace = await workspaceOf({ ...repository, bare: `${repository.bare}-gone` });

    await expect(workspace.look(signal)).rejects.toMatchObject({ code: 'E_GIT_UNREACHABLE' });
  });
});
