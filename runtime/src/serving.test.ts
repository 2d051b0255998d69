import { createHash } from 'node:crypto';
import { ANSWERED_BY, type Loaded, VersionDigest, versionText } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from './runtime.fixture.ts';
import { eventually, ratioBody, ratioVersion, snapshotOf } from './serving.fixture.ts';

const ONE = ratioBody([6], [3]);

const reasonsOf = async (runtime: RuntimeFixture): Promise<string[]> =>
  ((await (await runtime.get('/v2/health/ready')).json()) as { reasons: string[] }).reasons;

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
      async () => (await reasonsOf(runtime)).some(reason => told.test(reason)),
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

  const awaited = 'ratio: version absent is awaited (E_ARTIFACT_PULL)';
  await eventually(async () => (await reasonsOf(runtime)).includes(awaited), 'the word of it');
  expect((await runtime.infer(ONE)).headers.get(ANSWERED_BY.version)).toBe('good');
});

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
