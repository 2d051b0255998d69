import { ANSWERED_BY, type Backend, type Route } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody, snapshotOf } from '../serving.fixture.ts';

const ONE = ratioBody([6], [3]);

/** Publishes the route again with more to it, and waits until it is applied. */
async function change(
  runtime: RuntimeFixture,
  backends: readonly Backend[],
  route: Partial<Route>,
  each: Partial<Backend> = {},
): Promise<void> {
  const snapshot = snapshotOf(
    { ratio: backends.map(backend => ({ ...backend, ...each })) },
    undefined,
    route,
  );
  runtime.controller.publish(snapshot);
  await eventually(
    async () => (await runtime.observe()).routes['ratio' as never]?.generation === snapshot.generation,
    'the route being applied',
  );
}

const attemptsOf = async (runtime: RuntimeFixture, backend: Backend): Promise<number> =>
  (await runtime.observe()).counts.find(({ revision }) => revision === backend.revision)?.attempts ?? 0;

describe('the way of a request', () => {
  test('goes to the version that a header asks for, and counts for none', async () => {
    const runtime = await startRuntimeFixture();
    const [stable, candidate] = await runtime.serve(
      { label: 'stable', weight: 100 },
      { label: 'new', weight: 0 },
    );
    await change(runtime, [stable!, candidate!], {
      match: [{ header: 'x-tester', is: 'yes', revision: candidate!.revision }],
    });

    const tester = await runtime.infer(ONE, undefined, { 'x-tester': 'yes' });
    const other = await runtime.infer(ONE, undefined, { 'x-tester': 'no' });

    expect(tester.headers.get(ANSWERED_BY.version)).toBe('new');
    expect(other.headers.get(ANSWERED_BY.version)).toBe('stable');
    expect([await attemptsOf(runtime, stable!), await attemptsOf(runtime, candidate!)]).toEqual([1, 0]);
  });

  test('is the same for the same caller while weights stay', async () => {
    const runtime = await startRuntimeFixture();
    const backends = await runtime.serve({ label: 'a', weight: 50 }, { label: 'b', weight: 50 });
    await change(runtime, backends, { stickyBy: { header: 'x-card-id' } });
    const versionFor = async (card: string): Promise<string | null> =>
      (await runtime.infer(ONE, undefined, { 'x-card-id': card })).headers.get(ANSWERED_BY.version);

    const cards = Array.from({ length: 40 }, (_, index) => `card ${index}`);
    const first = await Promise.all(cards.map(versionFor));
    const again = await Promise.all(cards.map(versionFor));

    expect(again).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['a', 'b']));
  });

  test('is remembered where the revision allows it, for the very same bytes alone', async () => {
    const runtime = await startRuntimeFixture();
    const backends = await runtime.serve({ label: '1' });
    await change(runtime, backends, {}, { cache: { forMs: 60_000, bytes: 2 ** 20 } });

    const made = await runtime.infer(ONE);
    const remembered = await runtime.infer(ONE);
    const another = await runtime.infer(ratioBody([9], [3]));

    expect(remembered.headers.get(ANSWERED_BY.from)).toBe('memory');
    expect(made.headers.get(ANSWERED_BY.from)).toBe(null);
    expect(another.headers.get(ANSWERED_BY.from)).toBe(null);
    expect(await remembered.text()).toBe(await made.text());
    // What was remembered says nothing about the revision.
    expect(await attemptsOf(runtime, backends[0]!)).toBe(2);
  });

  test('is not remembered with a NaN in it, nor when it was refused', async () => {
    const runtime = await startRuntimeFixture();
    const backends = await runtime.serve({ label: '1' });
    await change(runtime, backends, {}, { cache: { forMs: 60_000, bytes: 2 ** 20 } });
    const nan = ratioBody([0], [0]);

    await runtime.infer(nan);
    await runtime.infer('{}');

    expect((await runtime.infer(nan)).headers.get(ANSWERED_BY.from)).toBe(null);
    expect((await runtime.infer('{}')).status).toBe(400);
  });

  test('ends with the declared answer, marked as such, when no version could give one', async () => {
    const runtime = await startRuntimeFixture();
    const backends = await runtime.serve({ label: '1', limits: { timeoutMs: 100 } });
    await change(runtime, backends, { fallback: { outputs: { ratio: [0.5] } } });

    // The arithmetic hangs above a million, so the engine is killed.
    const hung = await runtime.infer(ratioBody([2_000_000, 1], [1, 1]));

    expect(hung.status).toBe(200);
    expect(hung.headers.get(ANSWERED_BY.version)).toBe('fallback');
    expect(await hung.json()).toMatchObject({
      model_version: 'fallback',
      outputs: [{ name: 'ratio', shape: [2, 1], data: [0.5, 0.5] }],
    });
    expect((await runtime.infer('{}')).status).toBe(400);
  });
});
