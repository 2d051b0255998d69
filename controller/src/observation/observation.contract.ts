import { EnvironmentName, InstanceId, RuntimeObservation } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import type { Observation, Observed } from './observation.ts';

/** An observation, and the runtimes that it listens to. */
export interface ObservationHarness extends AsyncDisposable {
  observation: Observation;
  /** Lets a runtime of the observation's own environment say this from now on. */
  say(observation: RuntimeObservation): void;
}

export const PROD = EnvironmentName.parse('prod');
export const DEV = EnvironmentName.parse('dev');

/** What every observation keeps to. */
export function observationContract(name: string, open: (clock: Clock) => Promise<ObservationHarness>): void {
  describe(`${name} observation`, () => {
    test('knows nothing before the first word', async () => {
      await using harness = await open(systemClock);

      expect(harness.observation.latest()).toEqual({ heard: [] });
    });

    test('has the latest word of an instance, with the time at which we heard it', async () => {
      await using harness = await open(systemClock);
      const before = Date.now();

      harness.say(wordOf('aaaaaaaa', 1));
      await until(harness.observation, ({ heard }) => heard[0]?.observation.at === 1);
      harness.say(wordOf('aaaaaaaa', 2));
      const { heard } = await until(harness.observation, latest => latest.heard[0]?.observation.at === 2);

      expect(heard).toEqual([
        { environment: PROD, observation: wordOf('aaaaaaaa', 2), heardAt: expect.any(Number) },
      ]);
      expect(heard[0]?.heardAt).toBeGreaterThanOrEqual(before);
    });

    test('keeps what a replaced instance counted beside the new one', async () => {
      await using harness = await open(systemClock);

      harness.say(wordOf('aaaaaaaa', 1));
      await until(harness.observation, ({ heard }) => heard.length === 1);
      harness.say(wordOf('bbbbbbbb', 2));
      const { heard } = await until(harness.observation, latest => latest.heard.length === 2);

      expect(heard.map(({ observation }) => observation.instanceId)).toEqual(['aaaaaaaa', 'bbbbbbbb']);
    });

    test('forgets an instance only when it was silent for more than ten minutes', async () => {
      const clock = shiftedClock();
      await using harness = await open(clock);
      harness.say(wordOf('aaaaaaaa', 1));
      await until(harness.observation, ({ heard }) => heard.length === 1);
      harness.say(wordOf('bbbbbbbb', 2));
      await until(harness.observation, ({ heard }) => heard.length === 2);

      clock.shift(9.5 * 60_000);
      const kept = harness.observation.latest().heard.length;
      clock.shift(60_000);
      harness.say(wordOf('bbbbbbbb', 3));
      const { heard } = await until(harness.observation, latest => latest.heard.at(-1)?.observation.at === 3);

      expect(kept).toBe(2);
      expect(heard.map(({ observation }) => observation.instanceId)).toEqual(['bbbbbbbb']);
    });

    test('tells every listener of a new word, and none after it was closed', async () => {
      await using harness = await open(systemClock);
      let [first, second] = [0, 0];
      harness.observation.onChange(() => first++);
      harness.observation.onChange(() => second++);

      harness.say(wordOf('aaaaaaaa', 1));
      await until(harness.observation, ({ heard }) => heard.length === 1);
      await harness.observation[Symbol.asyncDispose]();
      const told = [first, second];
      harness.say(wordOf('aaaaaaaa', 2));

      expect(told.every(count => count > 0)).toBe(true);
      expect([first, second]).toEqual(told);
      expect(harness.observation.latest().heard).toHaveLength(1);
    });
  });
}

export function wordOf(instanceId: string, at: number, environment = PROD): RuntimeObservation {
  return RuntimeObservation.parse({
    ...{ instanceId: InstanceId.parse(instanceId), environment, pid: 42, startedAt: 0, at, snapshot: null },
    ...{ routes: {}, loaded: [], counts: [] },
  });
}

/** Resolves with the first state of which the claim holds; looks again whenever something was heard. */
export async function until(
  observation: Observation,
  claim: (latest: Observed) => boolean,
  boundMs = 10_000,
): Promise<Observed> {
  const { promise, resolve, reject } = Promise.withResolvers<Observed>();
  const timer = setTimeout(() => reject(new Error('what was waited for was never heard')), boundMs);
  const look = (): void => {
    const latest = observation.latest();
    if (claim(latest)) resolve(latest);
  };
  observation.onChange(look);
  look();
  return promise.finally(() => clearTimeout(timer));
}

/** The system's clock, but its reading can be moved on. */
function shiftedClock(): Clock & { shift(ms: number): void } {
  let shiftMs = 0;
  return {
    now: () => Date.now() + shiftMs,
    sleep: systemClock.sleep,
    shift: ms => {
      shiftMs += ms;
    },
  };
}
