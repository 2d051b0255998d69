import { describe, expect, test } from 'vitest';
import { VERSIONS } from '../registry/deployed.fixture.ts';
import { managementServer } from './management-server.ts';
import type { RunningServer } from './server.ts';
import { bearer, kindOf, type TestWorld, worldWith } from './world.fixture.ts';
import type { ServerWorld } from './world.ts';

/** Over a real listener, with real connections that are really cut. */
describe('long polls', () => {
  test('of events are woken by what happens', async () => {
    await using world = await worldWith();
    await using server = await listening(world);
    const waiting = ask(server, '/api/v1alpha1/events?wait=30', 'operator');
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    await world.tell({ type: 'rollout.started', subject: 'prod/screening' });

    expect(await (await waiting).json()).toMatchObject({ items: [{ type: 'rollout.started' }], last: 1 });
  });

  test.each([
    ['/api/v1alpha1/events?wait=30', 'operator'],
    ['/runtime/v1/environments/prod/snapshot?wait=30', 'runtime'],
  ] as const)('of %s end when their asker goes away', async (path, kind) => {
    await using world = await worldWith();
    await using server = await listening(world);
    const leaving = new AbortController();
    const waiting = ask(server, path, kind, leaving.signal);
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    leaving.abort();

    await expect(waiting).rejects.toThrow();
    await expect.poll(() => world.clock.sleeping()).toBe(0);
  });

  test('are answered when the server stops, and hold nobody up', async () => {
    await using world = await worldWith();
    const server = await listening(world);
    const waiting = ask(server, '/api/v1alpha1/events?wait=30&after=3', 'operator');
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    await server[Symbol.asyncDispose]();

    expect(await (await waiting).json()).toEqual({ items: [], last: 3 });
    expect(world.clock.sleeping()).toBe(0);
  });
});

describe('an artifact that is being fetched', () => {
  test('goes on being fetched when the runtime loses patience, and is given up when the server stops', async () => {
    const fetching = Promise.withResolvers<AbortSignal>();
    const artifacts: ServerWorld['artifacts'] = {
      ensure: (_, signal) => {
        fetching.resolve(signal);
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
        );
      },
    };
    await using world = await worldWith({ artifacts });
    const server = await listening(world);
    const leaving = new AbortController();
    const impatient = ask(server, pathOf(0), 'runtime', leaving.signal);
    const signal = await fetching.promise;

    leaving.abort();
    await expect(impatient).rejects.toThrow();
    // A later answer on another connection: the server has seen the first one go.
    await ask(server, '/healthz', 'runtime');
    expect(signal.aborted).toBe(false);

    await server[Symbol.asyncDispose]();
    expect(signal.aborted).toBe(true);
  });
});

function listening(world: TestWorld): Promise<RunningServer> {
  return managementServer({ host: '127.0.0.1', port: 0, world, tokens: { kindOf }, version: '0.0.0-test' });
}

function ask(
  { address }: RunningServer,
  path: string,
  kind: 'operator' | 'runtime',
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(address + path, { headers: bearer(kind), ...(signal ? { signal } : {}) });
}

function pathOf(index: number): string {
  return `/runtime/v1/artifacts/${VERSIONS[index]?.artifacts['model.onnx']?.sha256}`;
}
