import type { Backend, ModelName } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { dividing, OPTIONS, outcomes, patient, work } from '../batching/batcher.fixture.ts';
import { Batcher, type BatcherOptions } from '../batching/batcher.ts';
import { settled, steppedClock } from '../clock.fixture.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { engineError, type ScriptedEngine } from '../engine/scripted.fixture.ts';
import type { Tensors } from '../engine/tensor.ts';
import { decodeV2 } from '../front/protocol/v2/request.ts';
import { type AppliedRoute, applyRoutes } from '../routing/apply.ts';
import { ratioBody, ratioVersion, snapshotOf } from '../serving.fixture.ts';
import type { DecodedRequest, InferenceCall } from './call.ts';
import { type Candidate, Shadowing, type ShadowOutcome } from './shadowing.ts';

const GONE = { isGone: true };
const call = (caller = { isGone: false }) => ({ model: 'ratio', caller }) as InferenceCall;

/** A request for 6 / 1 and the like, that counts how often it is read. */
function asked(...values: number[]): DecodedRequest & { reads: number } {
  const body = Buffer.from(ratioBody(values, Array(values.length).fill(1)));
  const request = decodeV2({ body, header: () => undefined });
  return {
    reads: 0,
    timeoutMs: null,
    priority: 0,
    read(backend) {
      this.reads++;
      return request.read(backend);
    },
    print: answer => request.print(answer),
  };
}

const given = (...values: number[]): Tensors =>
  new Map([['ratio', { datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) }]]);

interface Stage {
  shadowing: Shadowing;
  batcher: Batcher;
  told: ShadowOutcome[];
  /** Copies a request that stable answered with these values. */
  copy(request: DecodedRequest, answer: Tensors, caller?: { isGone: boolean }): void;
  unload(): void;
}

/** A stable version, and a candidate on this engine that gets a copy of each of its requests. */
function stage(engine: Engine, change: Partial<BatcherOptions> = {}, clock: Clock = systemClock): Stage {
  const options = { ...OPTIONS, clock, ...change };
  const limits = { ...options.limits, queueRows: options.capacityRows };
  const stable = ratioVersion({ label: 'stable' }).backend;
  const candidate: Backend = {
    ...ratioVersion({ label: 'candidate', weight: 0, limits }).backend,
    shadow: 100,
  };
  const route = routeOf(stable, candidate);
  const batcher = new Batcher(options);
  batcher.attach(0, engine);
  let isLoaded = true;
  const loaded: Candidate = {
    state: 'ready',
    get queue() {
      return batcher.describe();
    },
    infer: one => batcher.submit(one),
  };
  const told: ShadowOutcome[] = [];
  const shadowing = new Shadowing({
    loaded: {
      find: (_, revision) => (isLoaded && revision === candidate.revision ? loaded : undefined),
    },
    clock,
    random: () => 0,
    onShadow: (_, backend, outcome) => {
      expect(backend.revision).toBe(candidate.revision);
      told.push(outcome);
    },
  });
  return {
    shadowing,
    batcher,
    told,
    copy: (request, outputs, caller) =>
      shadowing.copy(call(caller), request, route, { backend: stable, outputs }),
    unload: () => {
      isLoaded = false;
    },
  };
}

function routeOf(...backends: Backend[]): AppliedRoute {
  const routes = applyRoutes(new Map(), snapshotOf({ ratio: backends }), () => true);
  return routes.get('ratio' as ModelName)!;
}

/** An engine that fails every batch. */
function failing(code: Parameters<typeof engineError>[0]): ScriptedEngine {
  const engine = dividing();
  engine.onInfer = () => Promise.reject(engineError(code));
  return engine;
}

describe('a shadow copy', () => {
  test('reads nothing until the answer that was given is on its way', async () => {
    const { shadowing, told, copy } = stage(dividing());
    const request = asked(6);

    copy(request, given(6));
    await Promise.resolve();

    expect(request.reads).toBe(0);
    await shadowing.settled();
    expect(request.reads).toBe(1);
    expect(told).toEqual([{ kind: 'compared', difference: 0 }]);
  });

  test('is held against the answer that was given', async () => {
    const { shadowing, told, copy } = stage(dividing());

    copy(asked(6, 99), given(6, 100));
    copy(asked(6), given(6, 100));
    await shadowing.settled();

    expect(told).toEqual([
      { kind: 'compared', difference: expect.closeTo(0.01) },
      { kind: 'compared', difference: null },
    ]);
  });

  test('goes on when whoever asked is gone', async () => {
    const { shadowing, told, copy } = stage(dividing());

    copy(asked(6), given(6), GONE);
    await shadowing.settled();

    expect(told).toEqual([{ kind: 'compared', difference: 0 }]);
  });

  test.each([
    ['died with it aboard', 'E_ENGINE_DIED', 'failed'],
    ['hung', 'E_ENGINE_TIMEOUT', 'failed'],
    ['has too little memory', 'E_ENGINE_MEMORY', 'failed'],
    ['could not run it', 'E_INTERNAL', 'failed'],
    ['is turning requests away', 'E_OVERLOADED', 'dropped'],
    ['is not there', 'E_MODEL_NOT_READY', 'dropped'],
  ] as const)('for a candidate that %s (%s) has %s', async (_, code, kind) => {
    const { shadowing, told, copy } = stage(failing(code));

    copy(asked(6), given(6));
    await shadowing.settled();

    expect(told).toEqual([{ kind }]);
  });

  test('that does not fit the candidate has failed, and no engine hears of it', async () => {
    const engine = dividing();
    const { shadowing, told, copy } = stage(engine);
    const unfit: DecodedRequest = {
      ...asked(6),
      read() {
        throw engineError('E_INPUT');
      },
    };

    copy(unfit, given(6));
    await shadowing.settled();

    expect(told).toEqual([{ kind: 'failed' }]);
    expect(engine.asked).toEqual([]);
  });

  test('is dropped for a candidate that was unloaded in the meantime', async () => {
    const { shadowing, told, copy, unload } = stage(dividing());
    const request = asked(6);

    copy(request, given(6));
    unload();
    await shadowing.settled();

    expect(told).toEqual([{ kind: 'dropped' }]);
    expect(request.reads).toBe(0);
  });

  test('is dropped where 64 are under way, unread', async () => {
    const { engine, finish } = patient();
    const { shadowing, told, copy } = stage(engine, { capacityRows: 1000 });
    const requests = Array.from({ length: 70 }, () => asked(6));

    for (const request of requests) copy(request, given(6));
    expect(told).toEqual(Array(6).fill({ kind: 'dropped' }));
    await settled();
    await finish();
    await shadowing.settled();
    copy(asked(6), given(6));
    await settled();
    await finish();
    await shadowing.settled();

    expect(told.slice(6)).toEqual(Array(65).fill({ kind: 'compared', difference: 0 }));
    expect(requests.map(({ reads }) => reads)).toEqual([...Array(64).fill(1), ...Array(6).fill(0)]);
  });

  test('takes no room in the queue of a hanging candidate from the requests of its own', async () => {
    const { engine, finish } = patient();
    const { shadowing, batcher, told, copy } = stage(engine, {
      capacityRows: 20,
      limits: { maxBatch: 1, timeoutMs: 5000 },
    });

    for (let index = 0; index < 40; index++) copy(asked(6), given(6));
    await settled();
    const own = outcomes(Array.from({ length: 10 }, (_, value) => batcher.submit(work([value]))));
    await settled();
    const dropped = told.length;
    await finish();

    expect(await own).toEqual(Array.from({ length: 10 }, (_, value) => [value]));
    await shadowing.settled();
    expect(dropped).toBeGreaterThan(20);
    expect(told.slice(0, dropped)).toEqual(Array(dropped).fill({ kind: 'dropped' }));
    expect(told.slice(dropped)).toEqual(Array(40 - dropped).fill({ kind: 'compared', difference: 0 }));
  });

  test('goes after the requests of the candidate’s own', async () => {
    const { engine, seen, answer, finish } = patient();
    const { shadowing, batcher, copy } = stage(engine, { limits: { maxBatch: 1, timeoutMs: 5000 } });
    const first = [batcher.submit(work([1])), batcher.submit(work([2]))];
    await settled();

    copy(asked(6), given(6));
    await settled();
    const own = batcher.submit(work([3]));
    await answer();
    await answer();

    expect(seen).toEqual([[1], [2], [3], [6]]);
    await finish();
    await Promise.all([...first, own]);
    await shadowing.settled();
  });

  test('that was not begun within the candidate’s time is dropped, and the one that hung was begun', async () => {
    const clock = steppedClock();
    const { engine, seen, finish } = patient();
    const limits = { maxBatch: 1, timeoutMs: 100 };
    const { shadowing, told, copy } = stage(engine, { limits }, clock);

    for (const value of [1, 2, 3]) copy(asked(value), given(value));
    await settled();
    await clock.advance(150);

    expect(told).toEqual([{ kind: 'dropped' }]);
    await finish();
    await shadowing.settled();
    expect(seen).toEqual([[1], [2]]);
    expect(told.slice(1)).toEqual(Array(2).fill({ kind: 'compared', difference: 0 }));
  });
});
