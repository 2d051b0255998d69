import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeze, unfreeze } from './freeze.ts';
import { hold, lift } from './hold.ts';
import { type ModelRepository, modelRepositories } from './model-repository.fixture.ts';
import type { Outcome } from './outcome.ts';
import { promote } from './promote.ts';
import { rollback } from './rollback.ts';
import { manifestText } from './workspace/manifest-text.ts';
import { changeRepository } from './workspace/open.ts';

const prod = 'prod' as EnvironmentName;
const screening = 'screening' as ModelName;
const [V1, V2] = ['1.0.0' as VersionLabel, '1.1.0' as VersionLabel];
const RELEASE = 'environments/prod/screening/release.yaml';

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
let withTwo: ModelRepository;
beforeAll(async () => {
  seeds = await modelRepositories();
  withTwo = await seeds.make();
  await addSecondVersion(withTwo);
});
afterAll(async () => {
  await withTwo[Symbol.asyncDispose]();
  await seeds[Symbol.asyncDispose]();
});

const withTwoVersions = () => withTwo.copy();

/** Version 1.1.0: the bytes of 1.0.0 with another tolerance, so another digest. */
async function addSecondVersion(repository: ModelRepository): Promise<void> {
  const folder = 'models/screening/versions';
  const copied = ['model.onnx', 'golden.json'].map(
    file => [`${folder}/1.1.0/${file}`, repository.git('show', `main:${folder}/1.0.0/${file}`)] as const,
  );
  const manifest = repository.git('show', `main:${folder}/1.0.0/version.yaml`);
  await commit(repository, [
    ...copied,
    [`${folder}/1.1.0/version.yaml`, manifest.replace('tolerance: 0.00001', 'tolerance: 0.0001')],
  ]);
}

async function commit(
  repository: ModelRepository,
  edits: readonly (readonly [string, string | null])[],
): Promise<Outcome> {
  return changeRepository(repository.options, () => ({
    kind: 'change',
    edits: new Map(edits),
    subject: 'somebody else',
    paragraphs: [],
    did: '',
    undo: () => '',
  }));
}

const promoted = (repository: ModelRepository) =>
  promote({ model: screening, version: V2, environment: prod, reason: 'better' }, repository.options);

describe('promote', () => {
  it('changes the release and nothing else, in the name of the person', async () => {
    await using repository = await withTwoVersions();

    const outcome = await promoted(repository);

    expect(repository.git('log', '-1', '--format=%H %an <%ae> %s', 'main').trim()).toBe(
      `${outcome.git?.commit} Ada Lovelace <ada@example.com> prod/screening: promote 1.1.0 (better)`,
    );
    expect(repository.git('diff', '--name-only', 'main^', 'main').trim()).toBe(RELEASE);
    expect(repository.git('show', `main:${RELEASE}`)).toContain('version: "1.1.0"');
    expect(outcome.notes.join()).toContain('staging does not run 1.1.0');
  });

  it('says so, and commits nothing, when the version runs there already', async () => {
    await using repository = await seeds.make();
    const before = repository.git('rev-parse', 'main');

    const outcome = await promote({ model: screening, version: V1, environment: prod }, repository.options);

    expect(outcome).toMatchObject({ did: expect.stringContaining('at 1.0.0 already'), git: null });
    expect(repository.git('rev-parse', 'main')).toBe(before);
  });

  it('refuses a version on hold, naming the hold file and how to lift it', async () => {
    await using repository = await withTwoVersions();
    await hold(
      { environment: prod, model: screening, version: V2, reason: 'scores drift' },
      repository.options,
    );

    await expect(promoted(repository)).rejects.toMatchObject({
      code: 'E_HELD',
      message: expect.stringMatching(
        /holds\/1\.1\.0\.yaml: scores drift.*switchback lift prod\/screening@1\.1\.0/,
      ),
    });
  });

  it('goes ahead once the hold is lifted', async () => {
    await using repository = await withTwoVersions();
    const address = { environment: prod, model: screening, version: V2 };
    await hold({ ...address, reason: 'scores drift' }, repository.options);

    await lift(address, repository.options);

    expect((await promoted(repository)).git).not.toBeNull();
  });

  it("refuses while the environment is frozen, and goes ahead when the freeze has ended or is another model's", async () => {
    await using repository = await withTwoVersions();
    await freeze({ environment: prod, reason: 'quarter end', until: '4h' }, repository.options);
    await expect(promoted(repository)).rejects.toMatchObject({
      code: 'E_FROZEN',
      message: expect.stringMatching(/quarter end.*switchback unfreeze prod/),
    });

    await unfreeze({ environment: prod }, repository.options);
    await freeze({ environment: prod, model: 'triage' as ModelName, reason: 'audit' }, repository.options);
    const past = manifestText('Freeze', { reason: 'long ago', until: '2020-01-01T00:00:00Z' });
    await commit(repository, [['environments/prod/freezes/old.yaml', past]]);

    expect((await promoted(repository)).git).not.toBeNull();
  });

  it('names what there is instead of what is not there', async () => {
    await using repository = await seeds.make();
    const ask = (environment: string, model: string, version: string) =>
      promote(
        {
          environment: environment as EnvironmentName,
          model: model as ModelName,
          version: version as VersionLabel,
        },
        repository.options,
      );

    await expect(ask('prd', 'screening', '1.0.0')).rejects.toThrow(/Did you mean "prod"\?/);
    await expect(ask('prod', 'screenign', '1.0.0')).rejects.toThrow(/Did you mean "screening"\?/);
    await expect(ask('prod', 'screening', '9.9.9')).rejects.toThrow(/no version 9.9.9 of screening.*1.0.0/);
  });

  it('goes to a branch of its own for a pull request, and leaves the watched one alone', async () => {
    await using repository = await withTwoVersions();
    const before = repository.git('rev-parse', 'main');
    const options = { ...repository.options, branch: 'promote-screening' };

    const outcome = await promote({ model: screening, version: V2, environment: prod }, options);

    expect(repository.git('rev-parse', 'main')).toBe(before);
    expect(repository.git('rev-parse', 'promote-screening').trim()).toBe(outcome.git?.commit);
    const again = promote({ model: screening, version: V2, environment: prod, reason: 'other' }, options);
    await expect(again).rejects.toMatchObject({ code: 'E_CONFLICT' });
  });

  it('says in the words of the remote why a push is refused, and what to do', async () => {
    await using repository = await withTwoVersions();
    const hook = join(repository.bare, 'hooks', 'pre-receive');
    repository.git('config', 'core.hooksPath', join(repository.bare, 'hooks'));
    mkdirSync(join(repository.bare, 'hooks'), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\necho "main is protected" >&2\nexit 1\n', { mode: 0o755 });

    await expect(promoted(repository)).rejects.toMatchObject({
      code: 'E_PUSH_REFUSED',
      message: expect.stringMatching(/main is protected.*--branch/),
    });
  });
});

describe('rollback without a controller', () => {
  it('restores what the release was, holds the bad version, and says whose commit it reverts', async () => {
    await using repository = await withTwoVersions();
    const { git: bad } = await promoted(repository);

    await rollback({ environment: prod, model: screening, reason: 'scores look wrong' }, repository.options);

    expect(repository.git('show', `main:${RELEASE}`)).toBe(
      repository.git('show', `${bad?.commit}^:${RELEASE}`),
    );
    expect(repository.git('show', 'main:environments/prod/screening/holds/1.1.0.yaml')).toMatch(
      /reason: "scores look wrong"\nby: "Ada Lovelace"/,
    );
    const message = repository.git('log', '-1', '--format=%B', 'main');
    expect(message).toContain('prod/screening: back to 1.0.0 (scores look wrong), 1.1.0 on hold');
    expect(message).toContain(`This reverts commit ${bad?.commit}.`);
  });

  it('has nothing to go back to on a first release, and says what to do', async () => {
    await using repository = await seeds.make();

    await expect(rollback({ environment: prod, model: screening }, repository.options)).rejects.toMatchObject(
      {
        code: 'E_NO_LAST_GOOD',
        message: expect.stringContaining('switchback promote screening@<version> prod'),
      },
    );
  });

  it('never goes back to a version that is on hold', async () => {
    await using repository = await withTwoVersions();
    await promoted(repository);
    await hold({ environment: prod, model: screening, version: V1, reason: 'bad too' }, repository.options);

    await expect(rollback({ environment: prod, model: screening }, repository.options)).rejects.toMatchObject(
      {
        code: 'E_NO_LAST_GOOD',
      },
    );
  });

  it('holds the newest where an environment takes the newest by itself, and writes no release', async () => {
    await using repository = await withTwoVersions();

    await rollback(
      { environment: 'dev' as EnvironmentName, model: screening, reason: 'bad' },
      repository.options,
    );

    expect(repository.git('diff', '--name-only', 'main^', 'main').trim()).toBe(
      'environments/dev/screening/holds/1.1.0.yaml',
    );
  });
});

describe('holds and freezes', () => {
  it('says that it is so already when asked twice, and that there is nothing to lift', async () => {
    await using repository = await seeds.make();
    const address = { environment: prod, model: screening, version: V1 };
    expect((await lift(address, repository.options)).did).toContain('not on hold');
    const first = await hold({ ...address, reason: 'a' }, repository.options);
    expect(first.notes.join()).toContain('prod runs 1.0.0 now');

    expect(await hold({ ...address, reason: 'b' }, repository.options)).toMatchObject({ git: null });
    expect((await unfreeze({ environment: prod }, repository.options)).did).toContain('not frozen');
  });

  it('refuses an end that has passed, or that is no time', async () => {
    await using repository = await seeds.make();

    for (const until of ['2020-01-01T00:00:00Z', 'tomorrow', '2030-01-01T00:00:00'])
      await expect(
        freeze({ environment: prod, reason: 'x', until }, repository.options),
      ).rejects.toMatchObject({
        code: 'E_USAGE',
      });
  });

  it('keeps a reason of several lines from faking a trailer', async () => {
    await using repository = await seeds.make();
    const reason = 'bad\n\nSwitchback-Operation: 0123456789abcdef';

    await hold({ environment: prod, model: screening, version: V1, reason }, repository.options);

    expect(repository.git('log', '-1', '--format=%(trailers)', 'main').trim()).toBe('');
  });
});
