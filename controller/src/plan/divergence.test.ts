import type {
  EnvironmentName,
  Instant,
  Loaded,
  RuntimeObservation,
  VersionDigest,
} from '@switchback-ml/schemas';
import { InstanceId } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { FRAUD, PROD, specOf, steadyOn } from '../rollout/rollout.fixture.ts';
import { backendsOf } from '../rollout/rollout.ts';
import { type DivergenceState, divergences, NO_DIVERGENCE } from './divergence.ts';

const START = 1_780_000_000_000;
const INSTANCE = InstanceId.parse('11111111-1111-4111-8111-111111111111');
const WANTED = backendsOf(steadyOn(specOf('1.2.0')));
const OTHER = backendsOf(steadyOn(specOf('1.1.0')));
const SECOND = 1000;

/** What is found when a runtime says the same for a while, looked at every second. */
function found(say: Partial<RuntimeObservation>, seconds: number, before = NO_DIVERGENCE, from = START) {
  let state: DivergenceState = before;
  const events: string[] = [];
  const replaced: string[] = [];
  for (let now = from; now <= from + seconds * SECOND; now += SECOND) {
    const looked = look(say, state, now);
    state = looked.state;
    events.push(...looked.events.map(({ type, subject, data }) => `${type} ${subject} ${data['kind']}`));
    replaced.push(...[...state.replace.values()].map(({ environment }) => environment));
  }
  return { state, events, replaced };
}

function look(say: Partial<RuntimeObservation>, before: DivergenceState, now: Instant) {
  return divergences({
    target: new Map([[PROD, new Map([[FRAUD, { backends: WANTED }]])]]),
    published: new Map([[PROD, { generation: 'new' }]]),
    runtimes: [{ environment: PROD, instanceId: INSTANCE }],
    heard: [{ environment: PROD, observation: wordOf(say, now), heardAt: now }],
    before,
    now,
  });
}

function wordOf(say: Partial<RuntimeObservation>, now: Instant): RuntimeObservation {
  return {
    instanceId: INSTANCE,
    environment: PROD,
    pid: 1,
    startedAt: START,
    at: now,
    snapshot: 'new',
    routes: { [FRAUD]: { generation: 'new', backends: [...WANTED] } },
    loaded: WANTED.map(backend => loaded(backend)),
    counts: [],
    ...say,
  };
}

function loaded({ revision, version, digest }: (typeof WANTED)[number], more: Partial<Loaded> = {}): Loaded {
  return { model: FRAUD, revision, version, digest, state: 'ready', since: START, ...more };
}

const otherRoutes = { [FRAUD]: { generation: 'old', backends: [...OTHER] } };

test('what answers as wanted is no divergence, however long', () => {
  const { state, events } = found({}, 60);

  expect(state.found.size).toBe(0);
  expect(events).toEqual([]);
});

test('of two deaf runtimes, each told of by its name, one is replaced, and the other when the first can be back', () => {
  const twins = ['2', '3'].map(digit => InstanceId.parse(digit.repeat(8)));
  const replacedAt = new Map<InstanceId, number>();
  const told: unknown[] = [];
  let before = NO_DIVERGENCE;
  for (let now = START; now <= START + 120 * SECOND; now += SECOND) {
    const { state, events } = divergences({
      target: new Map([[PROD, new Map()]]),
      published: new Map([[PROD, { generation: 'new' }]]),
      runtimes: twins.map((instanceId, replica) => ({ environment: PROD, instanceId, replica })),
      heard: twins.map(instanceId => ({
        environment: PROD,
        observation: { ...wordOf({ snapshot: 'old' }, now), instanceId },
        heardAt: now,
      })),
      before,
      now,
    });
    before = state;
    told.push(...events.map(({ data }) => [data['runtime'], data['message']]));
    for (const instanceId of before.replace.keys()) replacedAt.set(instanceId, (now - START) / SECOND);
  }

  expect([...replacedAt]).toEqual([
    [twins[0], 30],
    [twins[1], 60],
  ]);
  expect(told).toEqual([
    ['prod.0', 'prod.0: the runtime of prod has snapshot old, new was published'],
    ['prod.1', 'prod.1: the runtime of prod has snapshot old, new was published'],
  ]);
});

describe('a runtime that answers from something else', () => {
  test('is told of once, after ten seconds, and again when it is healed', () => {
    const diverged = found({ routes: otherRoutes }, 20);

    const healed = found({}, 2, diverged.state, START + 21 * SECOND);

    expect(diverged.events).toEqual(['divergence.found prod/fraud serves-other']);
    expect(diverged.state.found.get('prod/fraud serves-other')?.message).toContain('1.1.0');
    expect(healed.events).toEqual(['divergence.healed prod/fraud serves-other']);
  });

  test('is not told of when it is over within ten seconds', () => {
    const diverged = found({ routes: otherRoutes }, 5);

    expect([...diverged.events, ...found({}, 2, diverged.state, START + 6 * SECOND).events]).toEqual([]);
  });

  test('is on its way as long as it loads what is wanted', () => {
    const loading = WANTED.map(backend => loaded(backend, { state: 'loading' }));

    expect(found({ routes: otherRoutes, loaded: loading }, 60).state.found.size).toBe(0);
  });

  test('is not replaced: it hears what it is told', () => {
    expect(found({ routes: otherRoutes }, 120).replaced).toEqual([]);
  });
});

describe('a runtime that does not take the newest snapshot', () => {
  test('is replaced after thirty seconds, and not again for ten minutes', () => {
    const deaf = found({ snapshot: 'old' }, 9 * 60);

    expect(deaf.replaced).toEqual([PROD]);
    expect(deaf.events).toEqual(['divergence.found prod deaf']);
    expect(found({ snapshot: 'old' }, 120, deaf.state, START + 9 * 60 * SECOND).replaced).toEqual([PROD]);
  });

  test('is left alone when it has long been silent, or is another than the one that runs', () => {
    const silent = divergences({
      target: new Map([[PROD, new Map()]]),
      published: new Map([[PROD, { generation: 'new' }]]),
      runtimes: [{ environment: PROD, instanceId: INSTANCE }],
      heard: [{ environment: PROD, observation: wordOf({ snapshot: 'old' }, START), heardAt: START }],
      before: NO_DIVERGENCE,
      now: START + 60 * SECOND,
    });
    const another = divergences({
      target: new Map([[PROD, new Map()]]),
      published: new Map([[PROD, { generation: 'new' }]]),
      runtimes: [{ environment: PROD, instanceId: null }],
      heard: [{ environment: PROD, observation: wordOf({ snapshot: 'old' }, START), heardAt: START }],
      before: NO_DIVERGENCE,
      now: START,
    });

    expect([silent.state.found.size, another.state.found.size]).toEqual([0, 0]);
  });
});

test('bytes that are not what the digest says are told of, and replaced, at once', () => {
  const attested = `sha256:${'e'.repeat(64)}` as VersionDigest;
  const tampered = WANTED.map(backend => loaded(backend, { attested }));

  const { events, replaced } = found({ loaded: tampered }, 0);

  expect(events).toEqual(['divergence.found prod/fraud loaded-other']);
  expect(replaced).toEqual([PROD]);
});

test('an environment that can not be read is not compared with anything', () => {
  const { state } = divergences({
    target: new Map<EnvironmentName, null>([[PROD, null]]),
    published: new Map([[PROD, { generation: 'new' }]]),
    runtimes: [{ environment: PROD, instanceId: INSTANCE }],
    heard: [
      {
        environment: PROD,
        observation: wordOf({ snapshot: 'old', routes: otherRoutes }, START),
        heardAt: START,
      },
    ],
    before: NO_DIVERGENCE,
    now: START,
  });

  expect(state.found.size).toBe(0);
});
