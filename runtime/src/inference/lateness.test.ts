import type { Indicator, RevisionCounts } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { ratioBody } from '../serving.fixture.ts';
import { gatedEngines } from './gated.fixture.ts';

const INDICATORS: Indicator[] = [{ kind: 'fast', underMs: 20 }, { kind: 'available' }, { kind: 'valid' }];

/** As the protocol has it: microseconds. */
function within(timeoutUs: number): string {
  return JSON.stringify({ ...JSON.parse(ratioBody([6], [3])), parameters: { timeout: timeoutUs } });
}

async function countsOf(runtime: RuntimeFixture): Promise<RevisionCounts | undefined> {
  return (await runtime.observe()).counts[0];
}

test('callers who allow no time get 504, and say nothing of a healthy version', async () => {
  const runtime = await startRuntimeFixture();
  await runtime.serve({ indicators: INDICATORS });

  const statuses = await Promise.all(
    Array.from({ length: 10 }, async () => (await runtime.infer(within(1))).status),
  );

  expect(statuses).toEqual(Array(10).fill(504));
  expect(await countsOf(runtime)).toBeUndefined();
});

test('a version that keeps callers waiting for longer than is fast is slow for each of them', async () => {
  const engines = gatedEngines();
  onTestFinished(() => engines.open());
  const runtime = await startRuntimeFixture({ startEngine: engines.startEngine });
  await runtime.serve({ indicators: INDICATORS, limits: { maxBatch: 1 } });
  engines.shut();
  // One runs and one is staged: who comes then waits.
  const aboard = Array.from({ length: 2 }, () => runtime.infer(ratioBody([6], [3])));
  await engines.reached(2);

  const statuses = await Promise.all(
    [10_000, 60_000, 70_000].map(async us => (await runtime.infer(within(us))).status),
  );

  expect(statuses).toEqual([504, 504, 504]);
  expect(await countsOf(runtime)).toMatchObject({ attempts: 0, indicators: { fast: { good: 0, total: 2 } } });
  engines.open();
  expect((await Promise.all(aboard)).map(({ status }) => status)).toEqual([200, 200]);
  expect(await countsOf(runtime)).toMatchObject({
    attempts: 2,
    failures: 0,
    indicators: { fast: { good: 0, total: 4 }, available: { good: 2, total: 2 } },
  });
});

test('a version that has not begun after all the time that an answer may take has failed its callers', async () => {
  const engines = gatedEngines();
  onTestFinished(() => engines.open());
  const runtime = await startRuntimeFixture({ startEngine: engines.startEngine });
  await runtime.serve({ indicators: INDICATORS, limits: { maxBatch: 1, timeoutMs: 100 } });
  engines.shut();
  const aboard = Array.from({ length: 2 }, () => runtime.infer(ratioBody([6], [3])));
  await engines.reached(2);

  expect((await runtime.infer(within(1_000_000))).status).toBe(504);

  expect(await countsOf(runtime)).toMatchObject({
    attempts: 1,
    failures: 1,
    indicators: { fast: { good: 0, total: 1 }, available: { good: 0, total: 1 } },
  });
  engines.open();
  await Promise.all(aboard);
});
