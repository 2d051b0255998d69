import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ANSWERED_BY, type Loaded, VersionDigest, versionText } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { StartEngine } from './engine/engine.ts';
import { memoryEngines } from './engine/memory/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from './runtime.fixture.ts';
import { BYTES, eventually, ratioBody, ratioVersion, snapshotOf } from './serving.fixture.ts';
import type { ReadinessReason } from './serving.ts';

const ONE = ratioBody([6], [3]);

const healthOf = async (
  runtime: RuntimeFixture,
  of: 'startup' | 'ready',
): Promise<{ status: number; reasons: ReadinessReason[] }> => {
  const response = await runtime.get(`/v2/health/${of}`, {});
  const { reasons } = (await response.json()) as { reasons: ReadinessReason[] };
  return { status: response.status, reasons };
};
const reasonsOf = async (runtime: RuntimeFixture): Promise<ReadinessReason[]> =>
  (await healthOf(runtime, 'ready')).reasons;

const readyOf = (runtime: RuntimeFixture, version: string): Promise<Loaded> =>
  eventually(
    async () =>
      (await runtime.observe()).loaded.find(one => one.version === version && one.state === 'ready'),
    `${version} being ready`,
  );

/** Makes the artifacts of a version available, and gives the snapshot that wants it. */
function offer(runtime: RuntimeFixture, label: string) {
  const { backend, objects } = ratioVersion({ label });
  for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
  return snapshotOf({ ratio: [backend] });
}

test.each<[string, (good: string) => { status: number; body?: string }, RegExp]>([
  ['what is no snapshot', () => ({ status: 200, body: '<html>' }), /not one that this runtime understands/],
  [
    'half a snapshot',
    good => ({ status: 200, body: good.slice(0, 300) }),
    /not one that this runtime understands/,
  ],
  [
    'a snapshot of another time',
    good => ({ status: 200, body: good.replace('switchback/v1alpha1', 'switchback/v9') }),
    /not one that this runtime understands/,
  ],
  [
    'a snapshot with a negative weight',
    good => ({ status: 200, body: good.replace('"weight":100', '"weight":-1') }),
    /not one that this runtime understands/,
  ],
  [
    'the snapshot of another environment',
    good => ({ status: 200, body: good.replace('"environment":"test"', '"environment":"prod"') }),
    /is of environment prod/,
  ],
  ['an error', () => ({ status: 500 }), /answers 500/],
])(
  'F21: a runtime that gets %s serves the last good one on, says so, and takes the next',
  async (_, spoil, told) => {
    const runtime = await startRuntimeFixture();
    await runtime.serve({ label: 'good' });
    const next = offer(runtime, 'next');
    runtime.controller.answerNext(...Array(3).fill(spoil(JSON.stringify(next))));

    runtime.controller.publish(next);

    await eventually(
      async () =>
        (await reasonsOf(runtime)).some(({ code, message }) => code === 'E_SNAPSHOT' && told.test(message)),
      'the word of it',
    );
    expect((await runtime.get('/v2/health/ready')).status).toBe(200);
    const answer = await runtime.infer(ONE);
    expect([answer.status, answer.headers.get(ANSWERED_BY.version)]).toEqual([200, 'good']);
    await readyOf(runtime, 'next');
    await eventually(async () => (await reasonsOf(runtime)).length === 0, 'the trouble being over');
    expect((await runtime.infer(ONE)).headers.get(ANSWERED_BY.version)).toBe('next');
  },
);

test('F21: a route to artifacts that are not there is served by the last good one, and says what it waits for', async () => {
  const runtime = await startRuntimeFixture();
  await runtime.serve({ label: 'good' });
  const { backend } = ratioVersion({ label: 'absent', golden: 2.000001 });

  runtime.controller.publish(snapshotOf({ ratio: [backend] }));

  const told = await eventually(
    async () => (await reasonsOf(runtime)).find(({ code }) => code === 'E_ARTIFACT_PULL'),
    'the word of it',
  );
  expect(told).toMatchObject({
    model: 'ratio',
    version: 'absent',
    message: expect.stringMatching(/awaited/),
  });
  expect((await runtime.infer(ONE)).headers.get(ANSWERED_BY.version)).toBe('good');
});

describe('startup', () => {
  const health = async (runtime: RuntimeFixture): Promise<number[]> => [
    (await healthOf(runtime, 'startup')).status,
    (await healthOf(runtime, 'ready')).status,
  ];

  test('waits for every version that is to get requests, with reasons, and then holds whatever comes', async () => {
    let gate = Promise.withResolvers<void>();
    const candidate = { label: 'candidate', weight: 10, model: slowModel() };
    const startEngine = gatedEngines(candidate.model, () => gate.promise);
    const runtime = await startRuntimeFixture({ startEngine });
    const none = await healthOf(runtime, 'startup');
    runtime.publish({ label: 'stable', weight: 90 }, candidate);
    await eventually(async () => (await healthOf(runtime, 'ready')).status === 200, 'stable answering');

    const waiting = await healthOf(runtime, 'startup');
    gate.resolve();
    await eventually(async () => (await healthOf(runtime, 'startup')).status === 200, 'the start');
    gate = Promise.withResolvers();
    const { backend } = ratioVersion({ ...candidate, label: 'next' });
    runtime.controller.publish(snapshotOf({ another: [backend] }));
    await eventually(async () => (await healthOf(runtime, 'ready')).status === 503, 'another snapshot');
    const later = await healthOf(runtime, 'startup');
    gate.resolve();

    expect(none).toMatchObject({ status: 503, reasons: [{ code: 'E_NO_SNAPSHOT' }] });
    const awaited = { code: 'E_MODEL_NOT_READY', model: 'ratio', version: 'candidate' };
    expect(waiting).toMatchObject({ status: 503, reasons: [awaited] });
    expect(later).toEqual({ status: 200, reasons: [] });
  });

  test('does not wait for a version that failed: only readiness goes on naming it', async () => {
    const runtime = await startRuntimeFixture();
    runtime.publish({ label: 'wrong', golden: 3 });

    await eventually(async () => (await healthOf(runtime, 'startup')).status === 200, 'the start');

    expect(await health(runtime)).toEqual([200, 503]);
    expect(await reasonsOf(runtime)).toMatchObject([
      { code: 'E_MODEL_NOT_READY', model: 'ratio' },
      { code: 'E_MODEL_GOLDEN', model: 'ratio', version: 'wrong' },
    ]);
  });

  test('does not wait for artifacts that were asked for in vain', async () => {
    const runtime = await startRuntimeFixture();
    runtime.controller.publish(snapshotOf({ ratio: [ratioVersion({ label: 'absent' }).backend] }));

    await eventually(async () => (await healthOf(runtime, 'startup')).status === 200, 'the start');

    expect(await health(runtime)).toEqual([200, 503]);
  });

  test('has nothing to wait for where nothing is to be served', async () => {
    const runtime = await startRuntimeFixture();
    runtime.controller.publish(snapshotOf({}));

    await eventually(async () => (await healthOf(runtime, 'startup')).status === 200, 'the start');

    expect(await health(runtime)).toEqual([200, 200]);
  });
});

/** The same model in other bytes, so that it can be told by its file. */
function slowModel(): Uint8Array {
  return Buffer.from(` ${Buffer.from(BYTES.memory())}`);
}

/** Engines that load these bytes only once the gate is open. */
function gatedEngines(bytes: Uint8Array, gate: () => Promise<void>): StartEngine {
  const start = memoryEngines();
  return async signal => {
    const engine = await start(signal);
    return {
      pid: engine.pid,
      gone: engine.gone,
      async load(request) {
        if ((await readFile(request.path)).equals(bytes)) await gate();
        return engine.load(request);
      },
      infer: (inputs, timeoutMs) => engine.infer(inputs, timeoutMs),
      residentBytes: () => engine.residentBytes(),
      [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    };
  };
}

test('a runtime attests the digest that it worked out itself, which is that of an honest snapshot', async () => {
  const runtime = await startRuntimeFixture();
  const { backend, objects } = ratioVersion();
  const text = versionText(backend.artifacts, backend.signature);
  const digest = VersionDigest.parse(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);

  runtime.controller.publish(snapshotOf({ ratio: [{ ...backend, digest }] }));

  expect((await readyOf(runtime, '1.0.0')).attested).toBe(digest);
});

test('a runtime attests another digest than a snapshot that claims a wrong one', async () => {
  const runtime = await startRuntimeFixture();
  await runtime.serve({ label: '1' });

  const { attested, digest } = await readyOf(runtime, '1');

  expect(attested).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(attested).not.toBe(digest);
});
