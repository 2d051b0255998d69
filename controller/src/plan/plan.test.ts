import {
  type EnvironmentName,
  InstanceId,
  LocalTarget,
  type Route,
  type ServingPart,
  ServingSnapshot,
} from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMIT, FRAUD, PROD, specOf, stateOf, steadyOn } from '../rollout/rollout.fixture.ts';
import { type Routes, routeOf } from '../rollout/rollout.ts';
import { look } from '../rollout/step.fixture.ts';
import type { Plan, PlanInput } from './action.ts';
import { plan } from './plan.ts';

const KEY = 'a'.repeat(64);
const STAGING = 'staging' as EnvironmentName;
const NOTHING: PlanInput['observed'] = { runtimes: [], published: new Map() };
const routesOf = (...versions: string[]): Routes =>
  new Map(
    versions.map((version, index) => [`fraud${index}` as typeof FRAUD, routeOf(steadyOn(specOf(version)))!]),
  );

function planned(part: Partial<PlanInput> = {}): Plan {
  return plan({
    target: new Map([[PROD, routesOf('1.2.0')]]),
    commit: COMMIT,
    keys: new Map([[PROD, [KEY]]]),
    replace: new Map(),
    observed: NOTHING,
    ...part,
  });
}

function snapshotIn(actions: Plan): ServingSnapshot {
  const [action] = actions;
  if (action?.kind !== 'publish-snapshot') throw new TypeError('no snapshot is published first');
  return action.snapshot;
}

/** The world after a plan has been carried out. */
function applied(observed: PlanInput['observed'], actions: Plan): PlanInput['observed'] {
  const published = new Map(observed.published);
  const targets = new Map(observed.targets);
  let runtimes = [...observed.runtimes];
  for (const action of actions) {
    const { environment } = action;
    if (action.kind === 'publish-snapshot') published.set(environment, action.snapshot);
    if (action.kind === 'start-runtime') {
      if (runtimes.every(runtime => runtime.environment !== environment)) runtimes.push({ environment });
      if (action.target) targets.set(environment, action.target);
    }
    if (action.kind === 'stop-runtime')
      runtimes = runtimes.filter(runtime => runtime.environment !== environment);
  }
  return { published, runtimes, targets };
}

describe('a plan', () => {
  test('publishes before it starts, so that a runtime finds its document', () => {
    expect(planned().map(({ kind }) => kind)).toEqual(['publish-snapshot', 'start-runtime']);
  });

  test('publishes a document that a runtime can read, with keys and commit', () => {
    const snapshot = snapshotIn(planned());

    expect(ServingSnapshot.parse(snapshot)).toEqual(snapshot);
    expect(snapshot).toMatchObject({ environment: 'prod', commit: COMMIT, keys: [KEY] });
  });

  test('lets nobody call an environment without keys', () => {
    expect(snapshotIn(planned({ keys: new Map() })).keys).toEqual([]);
  });

  test('stops what git no longer has, and says why', () => {
    const observed = { ...NOTHING, runtimes: [{ environment: STAGING }] };

    expect(planned({ target: new Map(), observed })).toEqual([
      { kind: 'stop-runtime', environment: 'staging', reason: 'the environment is gone from git' },
    ]);
  });

  test('asks for as many runtimes as git says, once, and again when git says otherwise', () => {
    const local = (runtimes: number) => new Map([[PROD, LocalTarget.parse({ runtimes })]]);
    const two = applied(NOTHING, planned({ local: local(2) }));

    expect(planned({ local: local(2), observed: two })).toEqual([]);
    expect(planned({ local: local(3), observed: two })).toEqual([
      { kind: 'start-runtime', environment: 'prod', target: LocalTarget.parse({ runtimes: 3 }) },
    ]);
  });

  test('asks adopted runtimes once to be as git says', () => {
    const adopted = { ...applied(NOTHING, planned()), targets: new Map() };
    const local = new Map([[PROD, LocalTarget.parse({})]]);

    const actions = planned({ local, observed: adopted });

    expect(actions.map(({ kind }) => kind)).toEqual(['start-runtime']);
    expect(planned({ local, observed: applied(adopted, actions) })).toEqual([]);
  });

  test('replaces a runtime that is of no use as it is, where there is one', () => {
    const [one, other, gone] = ['1', '2', '3'].map(digit => InstanceId.parse(digit.repeat(8)));
    const runtimes = [one!, other!].map(instanceId => ({ environment: PROD, instanceId }));
    const observed = { ...applied(NOTHING, planned()), runtimes };
    const replace = new Map([
      [other!, { environment: PROD, reason: 'it is deaf' }],
      [gone!, { environment: STAGING, reason: 'it is deaf' }],
    ]);

    expect(planned({ observed, replace })).toEqual([
      { kind: 'replace-runtime', environment: 'prod', instanceId: other, reason: 'it is deaf' },
    ]);
  });

  test('leaves an environment alone that can not be read', () => {
    const observed = applied(NOTHING, planned());

    expect(planned({ target: new Map([[PROD, null]]), observed })).toEqual([]);
    expect(planned({ target: new Map([[PROD, null]]) })).toEqual([]);
  });

  test('starts a runtime for an environment in which nothing is deployed yet', () => {
    expect(planned({ target: new Map([[PROD, new Map()]]) }).map(({ kind }) => kind)).toEqual([
      'publish-snapshot',
      'start-runtime',
    ]);
  });

  test('publishes anew what is to be served otherwise, and starts nothing that runs', () => {
    const observed = applied(NOTHING, planned());

    const again = planned({ target: new Map([[PROD, routesOf('1.3.0')]]), observed });

    expect(again.map(({ kind }) => kind)).toEqual(['publish-snapshot']);
    expect(snapshotIn(again).routes['fraud0' as typeof FRAUD]?.backends[0]?.version).toBe('1.3.0');
  });

  test('made again after it was carried out is empty, from whatever was there before', () => {
    const environment = fc.constantFrom<EnvironmentName[]>(PROD, STAGING, 'dev' as EnvironmentName);
    const routes = fc
      .array(fc.constantFrom('1.0.0', '1.1.0', '1.2.0'), { maxLength: 3 })
      .map(versions => routesOf(...versions));
    const target = fc
      .array(fc.tuple(environment, fc.option(routes, { freq: 5 })))
      .map(entries => new Map(entries));
    const runtimes = fc.uniqueArray(environment).map(names => names.map(name => ({ environment: name })));

    fc.assert(
      fc.property(target, target, runtimes, (before, after, running) => {
        const first = { ...NOTHING, runtimes: running };
        const there = applied(first, planned({ target: before, observed: first }));

        const actions = planned({ target: after, observed: there });

        expect(planned({ target: after, observed: applied(there, actions) })).toEqual([]);
        for (const action of actions) expect(after.get(action.environment)).not.toBeNull();
      }),
    );
  });
});

describe('the generation of a snapshot', () => {
  const generation = (part: Partial<PlanInput> = {}): string => snapshotIn(planned(part)).generation;
  const canary = stateOf({ stable: specOf('1.2.0') });

  test('is the same for the same content, in whatever order it was put together', () => {
    const [fraud, abuse] = [routeOf(steadyOn(specOf('1.2.0')))!, routeOf(steadyOn(specOf('2.0.0')))!];
    const abuseName = 'abuse' as typeof FRAUD;

    const one = generation({
      target: new Map([
        [
          PROD,
          new Map([
            [FRAUD, fraud],
            [abuseName, abuse],
          ]),
        ],
      ]),
    });
    const other = generation({
      target: new Map([
        [
          PROD,
          new Map([
            [abuseName, abuse],
            [FRAUD, fraud],
          ]),
        ],
      ]),
    });

    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(other).toBe(one);
  });

  test.each<[string, Partial<PlanInput>]>([
    ['routes', { target: new Map([[PROD, routesOf('1.3.0')]]) }],
    ['one more route', { target: new Map([[PROD, routesOf('1.2.0', '1.2.0')]]) }],
    ['keys', { keys: new Map() }],
    ['commit', { commit: 'd'.repeat(40) as typeof COMMIT }],
  ])('is another one for other %s', (_, part) => {
    expect(generation(part)).not.toBe(generation());
  });

  test('is what it was before there were settings that it does not hold', () => {
    const objectives: ServingPart['objectives'] = {
      fast: { under: 50, target: 0.99, breach: 'rollback' },
      valid: { output: 'score', within: [0, 1], target: 0.999, breach: 'rollback' },
    };
    const rolled = look(steadyOn(specOf('1.2.0', { objectives })), {
      wanted: specOf('1.3.0', { objectives }),
    });

    expect(
      generation({ target: new Map([[PROD, new Map([[FRAUD, routeOf(rolled.state)!]])]]), keys: new Map() }),
    ).toBe('b691b65e8f5a3865');
  });

  const [backend] = routesOf('1.2.0').values().next().value?.backends ?? [];
  test.each<[string, Route]>([
    ['engines', { backends: [{ ...backend!, engines: 2 }] }],
    ['batching', { backends: [{ ...backend!, batching: { waitMs: 2 } }] }],
    ['cache', { backends: [{ ...backend!, cache: { forMs: 1000, bytes: 10 } }] }],
    ['shadow', { backends: [{ ...backend!, shadow: 10 }] }],
    ['a queue', { backends: [{ ...backend!, limits: { ...backend!.limits, queueRows: 8 } }] }],
    ['match', { backends: [backend!], match: [{ header: 'a', is: 'b', revision: backend!.revision }] }],
    ['stickyBy', { backends: [backend!], stickyBy: { header: 'a' } }],
    ['fallback', { backends: [backend!], fallback: { outputs: { score: [1] } } }],
  ])('is another one with %s, which is published, and once', (_, route) => {
    const target = (wanted: Route) => new Map([[PROD, new Map([[FRAUD, wanted]])]]);
    const before = applied(NOTHING, planned({ target: target({ backends: [backend!] }) }));

    const actions = planned({ target: target(route), observed: before });

    expect(snapshotIn(actions).routes[FRAUD]).toEqual(route);
    expect(ServingSnapshot.parse(snapshotIn(actions))).toEqual(snapshotIn(actions));
    expect(planned({ target: target(structuredClone(route)), observed: applied(before, actions) })).toEqual(
      [],
    );
  });

  test('is another one for other weights of the same revisions', () => {
    const routes = (weight: number): Routes =>
      new Map([
        [
          FRAUD,
          {
            backends: routeOf(canary)!.backends.flatMap(backend => [
              { ...backend, weight },
              { ...backend, weight: 100 - weight },
            ]),
          },
        ],
      ]);

    expect(generation({ target: new Map([[PROD, routes(5)]]) })).not.toBe(
      generation({ target: new Map([[PROD, routes(10)]]) }),
    );
  });
});
