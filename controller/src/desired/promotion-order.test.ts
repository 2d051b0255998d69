import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import { environmentFile } from './manifest.fixture.ts';
import { treeOf } from './tree.fixture.ts';

type Upstreams = Record<string, string | string[] | null>;

function stateOf(upstreams: Upstreams) {
  const files = Object.entries(upstreams).map(([name, from]) =>
    environmentFile(name, from === null ? {} : { promotesFrom: from }),
  );
  return desired(treeOf([Object.assign({}, ...files)]));
}

describe('environments', () => {
  test('stand after those they promote from, whatever their names', () => {
    const state = stateOf({ a: 'm', m: 'z', z: null });

    expect([...state.environments.keys()]).toEqual(['z', 'm', 'a']);
  });

  test('in a circle are all broken, and told once with the circle', () => {
    const state = stateOf({ a: 'c', b: 'a', c: 'b', d: 'a', e: null });

    expect([...state.broken].sort()).toEqual(['a', 'b', 'c']);
    expect([...state.environments.keys()].sort()).toEqual(['d', 'e']);
    expect(state.problems).toMatchObject([
      {
        code: 'E_CYCLE',
        field: 'promotesFrom',
        message: expect.stringContaining('environments promote in a circle: a ← c ← b ← a'),
      },
    ]);
  });

  test('that promote from themselves are a circle of one', () => {
    expect(stateOf({ a: 'a' }).problems).toMatchObject([
      { code: 'E_CYCLE', path: 'environments/a/environment.yaml' },
    ]);
  });

  test('that promote from nowhere are broken, with the name that was meant', () => {
    const state = stateOf({ staging: null, prod: 'stagin' });

    expect([...state.broken]).toEqual(['prod']);
    expect(state.problems).toMatchObject([
      {
        code: 'E_REFERENCE',
        path: 'environments/prod/environment.yaml',
        field: 'promotesFrom',
        message: expect.stringContaining('names "stagin", which is no environment'),
        remedy: 'Did you mean "staging"?',
      },
    ]);
  });

  test('stay whole when the one they promote from can not be read', () => {
    const files = {
      ...environmentFile('prod', { promotesFrom: 'staging' }),
      'environments/staging/environment.yaml': '[',
    };

    const state = desired(treeOf([files]));

    expect([...state.environments.keys()]).toEqual(['prod']);
    expect([...state.broken]).toEqual(['staging']);
  });

  test('are each either ordered after their upstreams or broken, in every graph', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const graph = fc.dictionary(
      fc.constantFrom(...names),
      fc
        .uniqueArray(fc.constantFrom(...names, 'missing'), { minLength: 1, maxLength: 3 })
        .map(list => (list.length === 1 ? list[0]! : list)),
      { noNullPrototype: true },
    );

    fc.assert(
      fc.property(graph, upstreams => {
        const state = stateOf(upstreams);

        const ordered = [...state.environments.keys()].map(String);
        expect([...ordered, ...state.broken].sort()).toEqual(Object.keys(upstreams).sort());
        for (const [index, name] of ordered.entries()) {
          const promotesFrom = [upstreams[name] ?? []].flat();
          for (const upstream of promotesFrom.filter(other => !state.broken.has(other as never)))
            expect(ordered.indexOf(upstream)).toBeLessThan(index);
          expect(promotesFrom).not.toContain('missing');
        }
      }),
      { numRuns: 60 },
    );
  });
});
