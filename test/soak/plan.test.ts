import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CANDIDATES } from './example.ts';
import { type Change, makePlan, type Turn } from './plan.ts';

const MINUTE = 60_000;
const twoHours = { forMs: 120 * MINUTE, everyMs: 3 * MINUTE };
const seeds = fc.integer({ min: 1, max: 2 ** 32 - 1 });

describe('a plan', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(makePlan({ seed: 7, ...twoHours })).toEqual(makePlan({ seed: 7, ...twoHours }));
    expect(makePlan({ seed: 8, ...twoHours })).not.toEqual(makePlan({ seed: 7, ...twoHours }));
  });

  test('has a turn every so often, and one where there is time for none', () => {
    expect(makePlan({ seed: 1, ...twoHours }).map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 40 }, (_, index) => index * 3 * MINUTE),
    );
    expect(makePlan({ seed: 1, forMs: MINUTE, everyMs: 3 * MINUTE })).toHaveLength(1);
  });

  test('has each kind of change and of fault in two hours, whatever the seed', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const plan = makePlan({ seed, ...twoHours });
        for (const kind of ['good', 'bad', 'rollback', 'revert'])
          expect(plan.filter(({ change }) => change.kind === kind).length).toBeGreaterThanOrEqual(6);
        expect(kindsOf(plan)).toEqual(
          new Set(['controller killed', 'front killed', 'engine killed', 'engine stopped', 'remote away']),
        );
      }),
    );
  });

  test('goes back only where there is something to go back to', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 200 }), (seed, turns) => {
        const plan = makePlan({ seed, forMs: turns * MINUTE, everyMs: MINUTE });
        for (const [index, { change }] of plan.entries())
          expect(
            isPossible(
              change,
              plan.slice(0, index).map(turn => turn.change),
            ),
          ).toBe(true);
      }),
    );
  });

  test('gives each version a name and a digest of its own, and bad ones only to models that have some', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const versions = makePlan({ seed, ...twoHours }).flatMap(({ change }) =>
          'version' in change ? [change] : [],
        );
        expect(new Set(versions.map(({ version }) => version)).size).toBe(versions.length);
        expect(new Set(versions.map(({ tolerance }) => tolerance)).size).toBe(versions.length);
        for (const { kind, model, candidate } of versions)
          expect(CANDIDATES[model][kind]).toContain(candidate);
      }),
    );
  });

  test('leaves the engines of what is being changed alone, and lets every role live long', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const plan = makePlan({ seed, ...twoHours });
        for (const { change, fault } of plan)
          if ('model' in fault) expect(fault.model).not.toBe(change.model);
        const late = plan.slice(20).map(({ fault }) => fault);
        expect(late.filter(({ kind }) => kind === 'controller killed')).toEqual([]);
        const fronts = plan.flatMap(({ fault }) =>
          fault.kind === 'front killed' ? [fault.environment] : [],
        );
        expect(fronts).not.toContain('staging');
        expect(late.filter(fault => fault.kind === 'front killed' && fault.environment === 'prod')).toEqual(
          [],
        );
      }),
    );
  });
});

const kindsOf = (plan: readonly Turn[]): Set<string> => new Set(plan.map(({ fault }) => fault.kind));

/** Told by names: what prod runs, and what it may go back to, after each change of the model. */
function isPossible(change: Change, before: readonly Change[]): boolean {
  let order = ['first'];
  const ran = ['first'];
  let isPromotion = false;
  for (const done of before.filter(({ model }) => model === change.model)) {
    isPromotion = done.kind === 'good';
    if (done.kind === 'good') {
      ran.push(done.version);
      order.push(done.version);
    }
    if (done.kind === 'revert') ran.pop();
    if (done.kind === 'rollback') {
      const from = ran.pop() ?? '';
      const to = order[order.indexOf(from) - 1] ?? '';
      order = order.filter(version => version !== from);
      if (ran.at(-1) !== to) ran.push(to);
    }
  }
  const current = order.indexOf(ran.at(-1) ?? '');
  if (change.kind === 'rollback') return current > 0;
  return change.kind !== 'revert' || isPromotion;
}
