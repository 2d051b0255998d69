import { ANSWERED_BY, type Backend } from '@switchback-ml/schemas';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StartEngine } from './engine/engine.ts';
import { memoryEngines } from './engine/memory/index.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { ratioModel } from './engine/onnx/graph.fixture.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from './runtime.fixture.ts';
import {
  BYTES,
  eventually,
  KEY,
  ratioBody,
  ratioVersion,
  snapshotOf,
  type VersionOptions,
} from './serving.fixture.ts';

const ONE = ratioBody([6], [3]);
/** The candidate's graph never comes back from it; stable's does. */
const HANGING_THERE = ratioBody([600], [3]);
const hangsSooner = ratioModel(100);

const realEngines = async (): Promise<StartEngine> => onnxEngines(await findConfinement());

/** Stable has all traffic, and the candidate a copy of each request. */
async function serveWithShadow(
  runtime: RuntimeFixture,
  stable: VersionOptions,
  candidate: VersionOptions,
): Promise<{ stable: Backend; candidate: Backend }> {
  const made = [
    ratioVersion({ label: 'stable', ...stable }),
    ratioVersion({ label: 'candidate', weight: 0, ...candidate }),
  ];
  for (const { objects } of made)
    for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
  const [first, second] = made.map(({ backend }) => backend);
  const shadowed = { ...second!, shadow: 100 };
  runtime.controller.publish(snapshotOf({ ratio: [first!, shadowed] }));
  await eventually(async () => {
    const { loaded } = await runtime.observe();
    return loaded.length === 2 && loaded.every(({ state }) => state === 'ready');
  }, 'both being ready');
  return { stable: first!, candidate: shadowed };
}

/** Nothing is told of an outcome that never was. */
const NO_COPIES = { compared: 0, incomparable: 0, failed: 0, dropped: 0 };

/** Copies of the candidate by what became of them. */
async function copiesOf(runtime: RuntimeFixture): Promise<typeof NO_COPIES> {
  const text = await (await runtime.get('/metrics')).text();
  const lines = text.matchAll(
    /^switchback_shadow_copies_total\{.*version="candidate",outcome="(\w+)"\} (\d+)$/gm,
  );
  const counts = Array.from(lines, ([, outcome, count]) => [outcome!, Number(count)] as const);
  return { ...NO_COPIES, ...Object.fromEntries(counts) };
}

const sum = (counts: typeof NO_COPIES): number => Object.values(counts).reduce((a, b) => a + b, 0);

async function answeredBy(response: Response): Promise<[number, string | null, number | undefined]> {
  const { outputs } = (await response.json()) as { outputs?: { data: number[] }[] };
  return [response.status, response.headers.get(ANSWERED_BY.version), outputs?.[0]?.data[0]];
}

describe('a candidate in the shadow', () => {
  test('that hangs at each copy holds up no answer and fails none', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await realEngines() });
    const model = BYTES.onnx();
    const served = await serveWithShadow(
      runtime,
      { model },
      { model: hangsSooner, limits: { timeoutMs: 2500 } },
    );

    const answers = [await answeredBy(await runtime.infer(HANGING_THERE))];
    const rest = Array.from({ length: 29 }, async () => answeredBy(await runtime.infer(HANGING_THERE)));
    answers.push(...(await Promise.all(rest)));
    const whileItHangs = await copiesOf(runtime);

    expect(answers).toEqual(Array(30).fill([200, 'stable', 200]));
    expect(whileItHangs).toEqual(NO_COPIES);
    const ended = await eventually(async () => {
      const copies = await copiesOf(runtime);
      return sum(copies) === 30 && copies;
    }, 'the end of all copies');
    expect(ended).toMatchObject({ compared: 0, incomparable: 0 });
    expect(ended.failed).toBeGreaterThan(0);
    const { counts } = await runtime.observe();
    expect(counts).toMatchObject([{ revision: served.stable.revision, attempts: 30, failures: 0 }]);
  });

  test('whose engine is killed again and again fails no answer, and is compared again once it is back', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await realEngines() });
    const model = BYTES.onnx();
    await serveWithShadow(runtime, { model }, { model });
    const statuses: number[] = [];
    let isCalling = true;
    const callers = Array.from({ length: 4 }, async () => {
      while (isCalling) statuses.push((await answeredBy(await runtime.infer(ONE)))[0]);
    });

    for (let kill = 0; kill < 3; kill++) {
      const { compared } = await copiesOf(runtime);
      const pidOf = async (): Promise<number | undefined> => {
        const { loaded } = await runtime.observe();
        return loaded.find(({ version, state }) => version === 'candidate' && state === 'ready')?.pid;
      };
      const pid = await eventually(pidOf, 'the candidate’s engine');
      process.kill(pid, 'SIGKILL');
      await eventually(async () => {
        const now = await pidOf();
        return now !== undefined && now !== pid && (await copiesOf(runtime)).compared > compared;
      }, 'another comparison');
    }
    isCalling = false;
    await Promise.all(callers);

    expect(new Set(statuses)).toEqual(new Set([200]));
    const copies = await eventually(async () => {
      const found = await copiesOf(runtime);
      return sum(found) === statuses.length && found;
    }, 'the end of all copies');
    expect(copies.incomparable).toBe(0);
    const { counts } = await runtime.observe();
    expect(counts).toMatchObject([{ attempts: statuses.length, failures: 0 }]);
  });

  test('is compared with an answer for which nobody waited in the end', async () => {
    const gate = Promise.withResolvers<void>();
    const aboard = Promise.withResolvers<void>();
    onTestFinished(() => gate.resolve());
    let isGated = false;
    const start = memoryEngines();
    const runtime = await startRuntimeFixture({
      startEngine: async signal => {
        const engine = await start(signal);
        const infer = engine.infer.bind(engine);
        engine.infer = async (inputs, timeoutMs) => {
          if (isGated) {
            aboard.resolve();
            await gate.promise;
          }
          return infer(inputs, timeoutMs);
        };
        return engine;
      },
    });
    await serveWithShadow(runtime, {}, {});
    const leave = new AbortController();
    isGated = true;
    const asked = fetch(`${runtime.address}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: ONE,
      signal: leave.signal,
    });
    await aboard.promise;

    leave.abort();
    await expect(asked).rejects.toThrow();
    isGated = false;
    gate.resolve();

    await eventually(async () => (await copiesOf(runtime)).compared === 1, 'the comparison');
    expect(sum(await copiesOf(runtime))).toBe(1);
  });
});
