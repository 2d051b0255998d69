import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { candidateWith, HEAD, rollbackIn, rolloutWith, stateWith } from '../../registry/deployed.fixture.ts';
import { routes } from '../routes.ts';
import { appOf, bearer, type TestWorld, worldWith } from '../world.fixture.ts';

describe('what is read', () => {
  test('has the form that it is described with, when much is going on and when nothing is known yet', async () => {
    const rollout = rolloutWith({ candidate: candidateWith() });
    const busy = stateWith({ rollout, open: [rollbackIn('moved')] });
    const empty = stateWith({ rollout: null, desired: null, head: null });
    for (const state of [busy, empty]) {
      await using world = await worldWith({ state });
      for (const { path, verb, endpoint } of routes(world, '1').filter(it => it.scope === 'operator')) {
        if (!verb.startsWith('read-')) continue;
        const url = path.replace(':environment', 'prod').replace(':model', 'screening');
        const answer = await read(world, path.endsWith('/why-not') ? `${url}?version=1.2.0` : url);
        if (state === empty && path.includes(':model')) expect([404, 503]).toContain(answer.statusCode);
        else expect((endpoint.answers.found as z.ZodType).parse(answer.json()), path).toEqual(answer.json());
      }
    }
  });

  test('of the status is the present state, with the address of this API', async () => {
    await using world = await worldWith();

    expect((await read(world, '/api/v1alpha1/status')).json()).toMatchObject({
      address: 'http://127.0.0.1:4180',
      repository: { commit: HEAD, branch: 'main' },
      environments: [{ name: 'prod', deployments: [{ model: 'screening', version: '1.1.0' }] }],
    });
  });

  test('of models, versions and operations is under items', async () => {
    await using world = await worldWith({ state: stateWith({ open: [rollbackIn('moved')] }) });
    const items = async (path: string) => (await read(world, `/api/v1alpha1/${path}`)).json().items;

    expect(await items('models')).toMatchObject([{ name: 'screening', environments: { prod: '1.1.0' } }]);
    expect(await items('models/screening/versions')).toMatchObject([
      { version: '1.0.0' },
      { version: '1.1.0' },
      { version: '1.2.0' },
    ]);
    expect(await items('operations')).toMatchObject([{ kind: 'rollback', state: 'moved' }]);
    expect(await items('history?environment=prod&model=screening')).toEqual([]);
  });

  test('of a model that is not there is 404 and says where they are listed', async () => {
    await using world = await worldWith();

    const answer = await read(world, '/api/v1alpha1/models/other/versions');

    expect(answer.statusCode).toBe(404);
    expect(answer.json().detail).toContain('There is no model other');
  });

  test('is kept by no cache', async () => {
    await using world = await worldWith();

    expect((await read(world, '/api/v1alpha1/status')).headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });
});

async function read(world: TestWorld, url: string) {
  await using app = appOf(world);
  return await app.inject({ url, headers: bearer('operator') });
}
