import type { Backend, ModelName, Route } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ratioVersion, snapshotOf } from '../serving.fixture.ts';
import { type AppliedRoute, applyRoutes } from './apply.ts';
import { chooseBackend, pickShadow, type RoutedRequest } from './choose-backend.ts';

const RATIO = 'ratio' as ModelName;
const STABLE = ratioVersion({ label: '1' }).backend;
const CANDIDATE = ratioVersion({ label: '2' }).backend;
const BY_CARD = { stickyBy: { header: 'x-card-id' } };

/** A route as it is applied once everything that shall get requests is ready. */
function applied(
  backends: Backend[],
  { model = RATIO, ready = () => true, ...more }: Partial<Route> & { model?: ModelName; ready?: Ready } = {},
): AppliedRoute {
  const snapshot = snapshotOf({});
  snapshot.routes[model] = { ...more, backends };
  return applyRoutes(new Map(), snapshot, (_, revision) => ready(revision)).get(model)!;
}
type Ready = (revision: string) => boolean;

/** Stable and candidate while the candidate has so many percent. */
const canary = (weight: number, more: Partial<Backend> = {}): Backend[] => [
  { ...STABLE, weight: 100 - weight },
  { ...CANDIDATE, weight, ...more },
];

function asking(headers: Record<string, string> = {}): RoutedRequest {
  return { header: name => headers[name] };
}

function versions(route: AppliedRoute, draw: (index: number) => [RoutedRequest, number]): string[] {
  return Array.from({ length: 10_000 }, (_, index) => chooseBackend(route, ...draw(index))!.backend.version);
}

describe('a route without headers to look at', () => {
  const blind: RoutedRequest = {
    header: name => {
      throw new Error(`${name} was asked for`);
    },
  };

  test('gives each backend its share of the random numbers, and asks for no header', () => {
    const route = applied([...canary(10), { ...ratioVersion({ label: '3' }).backend, weight: 0 }]);

    const chosen = versions(route, index => [blind, index / 10_000]);

    expect(chosen.filter(version => version === '1')).toHaveLength(9000);
    expect(chosen.filter(version => version === '2')).toHaveLength(1000);
    expect(chooseBackend(route, blind, 0)).toEqual({ backend: route.backends[0], by: 'weight' });
  });

  test('always finds one with weight where there is one, however odd the weights', () => {
    const weights = fc.array(fc.float({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 4 });

    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (all, random) => {
        const route = applied(all.map((weight, i) => ratioVersion({ label: String(i), weight }).backend));
        const isAny = all.some(weight => weight > 0);

        // A route of which nothing has any weight is never applied.
        expect(route !== undefined).toBe(isAny);
        if (isAny) expect(chooseBackend(route, blind, random)?.backend.weight).toBeGreaterThan(0);
      }),
    );
  });

  test('makes no object to say what was chosen', () => {
    const route = applied(canary(10));

    expect(chooseBackend(route, blind, 0.1)).toBe(chooseBackend(route, blind, 0.2));
  });
});

describe('a sticky route', () => {
  test('answers the same value from the same backend, in every process', () => {
    const [one, other] = [applied(canary(30), BY_CARD), applied(canary(30), BY_CARD)];
    const card = (index: number) => asking({ 'x-card-id': String(index) });

    const first = versions(one, index => [card(index), 0]);
    const second = versions(other, index => [card(index), 0.99]);

    expect(second).toEqual(first);
    expect(chooseBackend(one, card(1), 0)?.by).toBe('sticky');
  });

  test('gives the candidate its share of the values', () => {
    const chosen = versions(applied(canary(30), BY_CARD), index => [
      asking({ 'x-card-id': String(index) }),
      0,
    ]);

    // Five standard deviations of 10,000 draws at 30 %.
    expect(Math.abs(chosen.filter(version => version === '2').length - 3000)).toBeLessThan(230);
  });

  test('moves callers only to a candidate that rises, and only from one that falls', () => {
    const percent = fc.integer({ min: 0, max: 3000 }).map(steps => steps / 30);
    const history = fc.array(percent, { minLength: 2, maxLength: 8 });
    const values = fc.array(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 50 });

    fc.assert(
      fc.property(history, values, (weights, cards) => {
        let before: { weight: number; onCandidate: boolean[] } | null = null;
        for (const weight of weights) {
          const route = applied(canary(weight), BY_CARD);
          const onCandidate = cards.map(
            card =>
              chooseBackend(route, asking({ 'x-card-id': card }), 0)?.backend.revision === CANDIDATE.revision,
          );
          for (const [index, is] of onCandidate.entries()) {
            const was = before?.onCandidate[index] ?? is;
            if (is && !was) expect(weight).toBeGreaterThan(before!.weight);
            if (!is && was) expect(weight).toBeLessThan(before!.weight);
          }
          before = { weight, onCandidate };
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, Record<string, string>]>([
    ['without the header', {}],
    ['with an empty one', { 'x-card-id': '' }],
  ])('goes by chance for a request %s', (_, headers) => {
    const chosen = versions(applied(canary(30), BY_CARD), index => [asking(headers), index / 10_000]);

    expect(chosen.filter(version => version === '2')).toHaveLength(3000);
    expect(chooseBackend(applied(canary(30), BY_CARD), asking(headers), 0)?.by).toBe('weight');
  });

  test('gives other callers the next candidate, and those of another model', () => {
    const next = ratioVersion({ label: '3' }).backend;
    const card = (index: number): [RoutedRequest, number] => [asking({ 'x-card-id': String(index) }), 0];
    const early = (route: AppliedRoute) => versions(route, card).map(version => version !== '1');

    const [first, ...others] = [
      early(applied(canary(10), BY_CARD)),
      early(
        applied(
          [
            { ...STABLE, weight: 90 },
            { ...next, weight: 10 },
          ],
          BY_CARD,
        ),
      ),
      early(applied(canary(10), { ...BY_CARD, model: 'other' as ModelName })),
    ];

    for (const other of others) {
      const both = first!.filter((isEarly, index) => isEarly && other[index]).length;
      // 10 % of 10 % of 10,000, within five standard deviations.
      expect(Math.abs(both - 100)).toBeLessThan(50);
    }
  });
});

describe('a match', () => {
  const match = [
    { header: 'x-tester', is: 'yes', revision: CANDIDATE.revision },
    { header: 'x-team', is: 'risk', revision: STABLE.revision },
  ];
  const route = applied(canary(10), { match, ...BY_CARD });

  test('sends its requests to its revision, whatever weight and stickiness say, the first that fits', () => {
    const both = asking({ 'x-tester': 'yes', 'x-team': 'risk', 'x-card-id': '1' });

    expect(chooseBackend(route, both, 0)).toEqual({ backend: route.backends[1], by: 'match' });
    expect(chooseBackend(route, asking({ 'x-team': 'risk' }), 0.99)).toEqual({
      backend: route.backends[0],
      by: 'match',
    });
  });

  test.each([['Yes'], ['yes '], ['y'], [''], ['yes'.repeat(100)]])('is of the whole value: not %j', value => {
    expect(chooseBackend(route, asking({ 'x-tester': value }), 0)?.by).toBe('weight');
  });

  test('of a revision that does not answer here is none', () => {
    const ready: Ready = revision => revision === STABLE.revision;
    const partial = applied(canary(10), { match, ready });

    expect(chooseBackend(partial, asking({ 'x-tester': 'yes' }), 0.99)).toEqual({
      backend: partial.backends[0],
      by: 'weight',
    });
  });
});

describe('a shadow', () => {
  const copies = (route: AppliedRoute): number =>
    versions(route, index => [asking(), index / 10_000]).filter(
      // Drawn in another order than what chose.
      (version, index) =>
        pickShadow(route, version === '1' ? STABLE : CANDIDATE, ((index * 7919) % 10_000) / 10_000),
    ).length;

  test('gets copies of its share of all requests, none of them its own', () => {
    const route = applied(canary(20, { shadow: 40 }));

    expect(Math.abs(copies(route) - 4000)).toBeLessThan(100);
    expect(pickShadow(route, CANDIDATE, 0)).toBeUndefined();
    expect(pickShadow(route, STABLE, 0)).toBe(route.backends[1]);
  });

  test('gets a copy of every request that is not its own where its share is larger than that', () => {
    expect(copies(applied(canary(20, { shadow: 100 })))).toBe(8000);
  });

  test.each<[string, AppliedRoute]>([
    ['where nobody asked for it', applied(canary(20))],
    ['of no requests', applied(canary(20, { shadow: 0 }))],
    ['beside nobody', applied([{ ...CANDIDATE, weight: 100, shadow: 50 }])],
    [
      'that does not answer here',
      applied(canary(20, { shadow: 50 }), { ready: revision => revision === STABLE.revision }),
    ],
  ])('%s gets none', (_, route) => {
    expect(copies(route)).toBe(0);
  });
});
