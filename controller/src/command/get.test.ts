import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnything } from './address.ts';
import { get } from './get.ts';
import { type ModelRepository, modelRepositories } from './model-repository.fixture.ts';
import { changeRepository } from './workspace/open.ts';

const ENVIRONMENT = 'environments/prod/environment.yaml';

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
let repository: ModelRepository;
beforeAll(async () => {
  seeds = await modelRepositories();
  repository = await seeds.make();
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
  await seeds[Symbol.asyncDispose]();
});

const show = (address: string, of = repository) => get(parseAnything(address), of.options);

describe('get', () => {
  it('of a deployment shows its release, and the settings merged from the files that say them', async () => {
    const { documents, settings, source } = await show('prod/screening');

    expect(documents.map(({ paths }) => paths[0])).toEqual([
      'environments/prod/screening/release.yaml',
      'models/screening/serving.yaml',
    ]);
    expect(documents[1]?.text).toMatch(
      /^apiVersion: switchback\/v1alpha1\nkind: Serving\nlimits:\n {2}memory: /,
    );
    expect(settings[0]).toEqual({
      name: 'release.version',
      value: '1.0.0',
      path: 'environments/prod/screening/release.yaml',
      line: 3,
    });
    expect(settings.find(({ name }) => name === 'mode')).toMatchObject({ value: 'act', path: ENVIRONMENT });
    expect(source).toMatchObject({ kind: 'git', branch: 'main' });
  });

  it('names the line that really holds the value', async () => {
    const { settings } = await show('prod/screening');
    const said = settings.filter(({ path }) => path !== null);

    expect(said.length).toBeGreaterThan(15);
    for (const { name, path, line } of said) {
      const text = repository.git('show', `main:${path}`).split('\n')[(line ?? 0) - 1] ?? '';
      expect(text, `${name} at ${path}:${line}`).toContain(
        name
          .split('.')
          .at(-1)
          ?.replace(/\[\d+\]$/, ''),
      );
    }
  });

  it('of an environment, a model and a version shows their files', async () => {
    const paths = async (address: string) => (await show(address)).documents.flatMap(it => it.paths);

    expect(await paths('prod')).toEqual(
      expect.arrayContaining([ENVIRONMENT, 'environments/prod/screening/release.yaml']),
    );
    expect(await paths('screening')).toEqual([
      'models/screening/model.yaml',
      'models/screening/serving.yaml',
    ]);
    expect(await paths('screening@1.0.0')).toEqual(['models/screening/versions/1.0.0/version.yaml']);
  });

  it('of a deployment that takes the newest says which that is', async () => {
    const { settings } = await show('dev/screening');

    expect(settings[0]).toEqual({ name: 'release.version', value: '1.0.0', path: null, line: null });
  });

  it.each([
    ['prd', /no environment "prd".*Did you mean "prod"/],
    ['prod/screenin', /no model "screenin" in prod.*Did you mean "screening"/],
    ['screening@1.0.1', /no version 1\.0\.1 of screening.*Did you mean "1\.0\.0"/],
  ])('names the nearest of what is not there: %s', async (address, message) => {
    await expect(show(address)).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      message: expect.stringMatching(message),
    });
  });

  it('shows what can not be read too, with what is wrong in it', async () => {
    await using broken = await repository.copy();
    await changeRepository(broken.options, () => ({
      kind: 'change',
      edits: new Map([[ENVIRONMENT, 'kind: Environment\nmood: act\n']]),
      subject: 'break it',
      paragraphs: [],
      did: '',
      undo: () => '',
    }));

    const { documents, problems } = await show('prod', broken);

    expect(documents).toMatchObject([{ text: 'kind: Environment\nmood: act\n' }]);
    expect(problems.map(({ path }) => path)).toContain(ENVIRONMENT);
  });
});
