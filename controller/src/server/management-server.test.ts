import { expect, test } from 'vitest';
import { managementServer } from './management-server.ts';
import { bearer, kindOf, worldWith } from './world.fixture.ts';

test('the management server says its own address, its version and its metrics', async () => {
  await using world = await worldWith();
  await using server = await managementServer({
    host: '127.0.0.1',
    port: 0,
    world,
    tokens: { kindOf },
    version: '1.2.3',
  });
  const get = (path: string) => fetch(server.address + path, { headers: bearer('operator') });

  expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await (await get('/api/v1alpha1/status')).json()).toMatchObject({ address: server.address });
  expect(await (await get('/api/v1alpha1/openapi.json')).json()).toMatchObject({
    info: { version: '1.2.3' },
  });
  expect(await (await get('/metrics')).text()).toContain('switchback_rollouts{phase="steady"} 1');
});
