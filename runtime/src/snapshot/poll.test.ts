import { EnvironmentName, type ServingSnapshot } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { type ControllerFixture, startController, TOKEN } from '../controller.fixture.ts';
import { silentLog } from '../log.ts';
import { eventually, ratioVersion, snapshotOf } from '../serving.fixture.ts';
import { Nudge } from './nudge.ts';
import { pollSnapshots } from './poll.ts';

const first = snapshotOf({ ratio: [ratioVersion({ label: '1' }).backend] });
const second = snapshotOf({ ratio: [ratioVersion({ label: '2' }).backend] });

interface Polling {
  controller: ControllerFixture;
  got: ServingSnapshot[];
  slept: number[];
  troubles: (string | null)[];
  stop(): Promise<void>;
}

async function poll(
  prepare: (controller: ControllerFixture) => void,
  generation: string | null = null,
  onSnapshot: (snapshot: ServingSnapshot) => void = () => {},
): Promise<Polling> {
  const controller = await startController();
  prepare(controller);
  const abort = new AbortController();
  const slept: number[] = [];
  const got: ServingSnapshot[] = [];
  const troubles: (string | null)[] = [];
  const take = (snapshot: ServingSnapshot): void => {
    onSnapshot(snapshot);
    got.push(snapshot);
  };
  const instant: Clock = { ...systemClock, sleep: async ms => void slept.push(ms) };
  const done = pollSnapshots(
    {
      controller: controller.address,
      environment: EnvironmentName.parse('test'),
      token: TOKEN,
      generation,
      clock: instant,
      random: () => 1,
      log: silentLog,
      onSnapshot: async snapshot => take(snapshot),
      onTrouble: trouble => void troubles.push(trouble),
      nudge: new Nudge(),
    },
    abort.signal,
  );
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  onTestFinished(async () => {
    await stop();
    await controller[Symbol.asyncDispose]();
  });
  return { controller, got, slept, troubles, stop };
}

test('each snapshot is handed over once, and the next question names its generation', async () => {
  const { controller, got } = await poll(controller => controller.publish(first));
  await eventually(() => got.length === 1, 'the first snapshot');
  await eventually(() => controller.asked.length === 2, 'the next question');

  controller.publish(second);
  await eventually(() => got.length === 2, 'the second snapshot');

  expect(got).toEqual([first, second]);
  expect(controller.asked[0]).toBe('GET /runtime/v1/environments/test/snapshot?wait=25 -');
  expect(controller.asked[1]).toContain(`"${first.generation}"`);
});

test('what is held already is asked for only if it changed', async () => {
  const { controller, got } = await poll(controller => controller.publish(first), first.generation);
  await eventually(() => controller.asked.length === 1, 'the question');

  controller.publish(second);
  await eventually(() => got.length === 1, 'the new snapshot');

  expect(got).toEqual([second]);
});

test('errors and nonsense are waited out, longer each time, and hand nothing over', async () => {
  const elsewhere = { ...second, environment: 'other' };
  const { got, slept, troubles } = await poll(controller => {
    controller.answerNext(
      { status: 500 },
      { status: 404 },
      { status: 200, body: 'no snapshot' },
      { status: 200, body: JSON.stringify({ ...first, apiVersion: 'switchback/v9' }) },
      { status: 200, body: JSON.stringify(elsewhere) },
      { status: 503 },
      { status: 503 },
    );
    controller.publish(first);
  });

  await eventually(() => got.length === 1, 'the good snapshot');

  expect(got).toEqual([first]);
  expect(slept).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  expect(troubles.slice(0, 8)).toEqual([
    'the controller answers 500',
    'the controller answers 404',
    'the newest snapshot is not one that this runtime understands',
    'the newest snapshot is not one that this runtime understands',
    'the newest snapshot is of environment other',
    'the controller answers 503',
    'the controller answers 503',
    null,
  ]);
});

test('a snapshot that can not be taken is asked for again', async () => {
  let tries = 0;
  const { got, slept, troubles } = await poll(
    controller => controller.publish(first),
    null,
    () => {
      if (++tries < 3) throw new Error('no room');
    },
  );

  await eventually(() => got.length === 1, 'the snapshot');

  expect(slept).toEqual([100, 200]);
  expect(troubles.slice(0, 2)).toEqual(Array(2).fill('the newest snapshot can not be taken'));
});

test('a controller that is gone is told without its address', async () => {
  const { controller, troubles } = await poll(() => {});
  await eventually(() => controller.asked.length === 1, 'the question');

  await controller[Symbol.asyncDispose]();

  expect(await eventually(() => troubles.at(-1), 'the trouble')).toBe('the controller does not answer');
});

test('a controller that says "unchanged" too quickly is not asked in a busy loop', async () => {
  const { got, slept } = await poll(controller => {
    controller.answerNext({ status: 304 }, { status: 304 });
    controller.publish(first);
  });

  await eventually(() => got.length === 1, 'the snapshot');

  expect(slept).toHaveLength(2);
  for (const ms of slept) expect(ms).toBeGreaterThan(500);
});

test('polling ends at once when it is stopped, in the midst of a question', async () => {
  const { controller, stop, got } = await poll(() => {});
  await eventually(() => controller.asked.length === 1, 'the question');

  await stop();

  expect(got).toEqual([]);
});

test('a sign of life from the controller ends the rest after a failure at once', async () => {
  const controller = await startController();
  controller.publish(first);
  controller.answerNext({ status: 503 });
  const abort = new AbortController();
  const nudge = new Nudge();
  const got: ServingSnapshot[] = [];
  let rests = 0;
  // Nobody wakes by the passing of time.
  const sleep = (_: number, signal?: AbortSignal): Promise<void> => {
    rests += 1;
    return new Promise(resolve => signal?.addEventListener('abort', () => resolve(), { once: true }));
  };
  const done = pollSnapshots(
    {
      ...{ controller: controller.address, environment: EnvironmentName.parse('test'), token: TOKEN },
      ...{ generation: null, clock: { ...systemClock, sleep }, random: () => 1, log: silentLog, nudge },
      onSnapshot: async snapshot => void got.push(snapshot),
      onTrouble: () => {},
    },
    abort.signal,
  );
  onTestFinished(async () => {
    abort.abort();
    await done;
    await controller[Symbol.asyncDispose]();
  });
  await eventually(() => rests === 1, 'the rest after a failure');

  nudge.nudge();

  await eventually(() => got.length === 1, 'the next question');
  expect(got).toEqual([first]);
});
