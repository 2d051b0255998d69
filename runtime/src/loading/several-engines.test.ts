import type { Loaded } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { StartEngine } from '../engine/engine.ts';
import { findConfinement } from '../engine/onnx/confinement.ts';
import { ratioModel } from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody, ratioVersion, snapshotOf } from '../serving.fixture.ts';

const realEngines = async (): Promise<StartEngine> => onnxEngines(await findConfinement());
const ONE = ratioBody([6], [3]);

/** A runtime with one version on two real engines. */
async function onTwo(startEngine: StartEngine): Promise<RuntimeFixture> {
  const runtime = await startRuntimeFixture({ startEngine });
  const { backend, objects } = ratioVersion({ model: ratioModel(), limits: { timeoutMs: 20_000 } });
  for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
  runtime.controller.publish(snapshotOf({ ratio: [{ ...backend, engines: 2 }] }));
  await bothUp(runtime);
  return runtime;
}

async function look(runtime: RuntimeFixture): Promise<Loaded> {
  return eventually(async () => (await runtime.observe()).loaded[0], 'the revision being known');
}

async function bothUp(runtime: RuntimeFixture, without: number | null = null): Promise<readonly number[]> {
  return eventually(async () => {
    const { state, pids } = await look(runtime);
    return state === 'ready' && pids?.length === 2 && !pids.includes(without ?? -1) && pids;
  }, 'both engines being up');
}

describe.skipIf(process.platform !== 'linux')('a revision on two engines', () => {
  test('loses one without an outage: no request fails, and it never stops being ready', async () => {
    const runtime = await onTwo(await realEngines());
    const before = await look(runtime);
    expect(before.pid).toBe(before.pids![0]);
    const statuses = new Map<number, number>();
    let isCalling = true;
    const callers = Array.from({ length: 4 }, async () => {
      while (isCalling) {
        const response = await runtime.infer(ONE);
        await response.arrayBuffer();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    });

    process.kill(before.pid!, 'SIGKILL');
    const pids = await bothUp(runtime, before.pid!);

    isCalling = false;
    await Promise.all(callers);
    const after = await look(runtime);
    expect([...statuses.keys()]).toEqual([200]);
    expect(pids).toContain(before.pids![1]);
    expect(after.since).toBe(before.since);
    expect(after.failure).toBeUndefined();
    expect(after.replaced).toEqual([
      { at: expect.any(Number), cause: 'died', reason: 'it was ended by SIGKILL' },
    ]);
  });

  test('answers what was aboard the lost one on the other', async () => {
    const killed: number[] = [];
    const real = await realEngines();
    const runtime = await onTwo(async signal => {
      const engine = await real(signal);
      return {
        pid: engine.pid,
        gone: engine.gone,
        load: request => engine.load(request),
        infer(inputs, timeoutMs) {
          const isFatal = inputs.get('numerator')?.data[0] === 600 && killed.length === 0;
          if (isFatal) process.kill(engine.pid!, 'SIGSTOP');
          const answer = engine.infer(inputs, timeoutMs);
          if (isFatal) {
            killed.push(engine.pid!);
            process.kill(engine.pid!, 'SIGKILL');
          }
          return answer;
        },
        residentBytes: () => engine.residentBytes(),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    });

    const answer = await runtime.infer(ratioBody([600], [3]));

    expect(await answer.json()).toMatchObject({ outputs: [{ data: [200] }] });
    const { pids, state } = await look(runtime);
    expect(state).toBe('ready');
    expect(pids).not.toContain(killed[0]);
    const { counts } = await runtime.observe();
    expect(counts).toMatchObject([{ attempts: 2, failures: 1 }]);
  });
});
