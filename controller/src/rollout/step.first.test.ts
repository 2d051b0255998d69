import { describe, expect, test } from 'vitest';
import { MINUTE, openRollback, START, stateOf, verdictOf } from './rollout.fixture.ts';
import { after, LATER, look, NEXT, outcomes, types, weights } from './step.fixture.ts';

describe('a first release', () => {
  const first = look(stateOf()).state;

  test('serves everything, since there is nothing to go back to', () => {
    expect(weights(first)).toEqual({ '1.3.0': 100 });
    expect(first.candidate?.phase).toBe('baking');
  });

  test('is last good once it has baked', () => {
    const baked = look(first, after(1, verdictOf('healthy', 5)));

    expect(outcomes(baked)).toEqual(['1.3.0 baked']);
    expect(baked.state.stable?.version).toBe('1.3.0');
  });

  test('that is bad is served on, once halted, and is never baked', () => {
    const halted = look(first, after(1, verdictOf('degraded', 50, { reason: 'errors 9 %' })));
    const later = look(halted.state, after(60, verdictOf('healthy', 5000)));

    expect(types(halted)).toEqual(['rollout.halted']);
    expect(halted.state.halted).toEqual({ reason: 'errors 9 %', since: START + MINUTE });
    expect(weights(halted.state)).toEqual({ '1.3.0': 100 });
    expect(later.state).toBe(halted.state);
  });

  test('that was halted gives way to the next one', () => {
    const halted = look(first, after(1, verdictOf('degraded', 50)));

    const next = look(halted.state, { wanted: LATER, ...after(2, verdictOf('degraded', 50)) });

    expect(next.state.halted).toBeNull();
    expect(weights(next.state)).toEqual({ '1.4.0': 100 });
    expect(outcomes(next)).toEqual(['1.3.0 superseded']);
  });

  const isServed = { served: new Map([[NEXT.id, 100]]) };
  const trying = look(first, { wanted: LATER, ...isServed });

  test('that has not baked is what the next one is compared with, and keeps its share', () => {
    expect(weights(trying.state)).toEqual({ '1.3.0': 90, '1.4.0': 10 });
    expect(trying.settled).toMatchObject([
      { outcome: 'superseded', revision: { version: '1.3.0' }, stable: { version: '1.3.0' } },
    ]);
    expect(trying.events).toMatchObject([{ type: 'rollout.started', data: { from: '1.3.0', weight: 10 } }]);
  });

  test('goes on to prove itself, by a verdict of its own, when the next one is left', () => {
    const bad = openRollback(LATER, NEXT);
    const isLeft = { openRollback: bad, verdict: verdictOf('degraded', 900), now: START + MINUTE };
    const left = look(trying.state, { wanted: LATER, ...isLeft });
    const again = look(left.state, { wanted: LATER, ...isLeft, verdict: null });

    const baked = look(left.state, after(2, verdictOf('healthy', 5)));

    expect(weights(left.state)).toEqual({ '1.3.0': 100 });
    expect(left.state).toMatchObject({ stable: null, candidate: { phase: 'baking' }, halted: null });
    expect(outcomes(left)).toEqual(['1.4.0 rolled-back']);
    expect(again.state).toBe(left.state);
    expect(outcomes(baked)).toEqual(['1.3.0 baked']);
  });

  test('goes on to prove itself when git asks for it again', () => {
    const reverted = look(trying.state, { now: START + MINUTE });

    expect(weights(reverted.state)).toEqual({ '1.3.0': 100 });
    expect(types(reverted)).toEqual(['rollout.superseded']);
    expect(reverted.state).toMatchObject({ stable: null, candidate: { revision: { version: '1.3.0' } } });
  });

  test('that nobody is served by holds up nothing', () => {
    const next = look(first, { wanted: LATER, served: new Map() });

    expect(weights(next.state)).toEqual({ '1.4.0': 100 });
    expect(next.settled).toMatchObject([{ outcome: 'superseded', stable: null }]);
  });

  test('is waited for until a runtime has said whether it serves', () => {
    const stayed = look(first, { wanted: LATER, served: null });

    expect(stayed.state).toBe(first);
    expect(stayed.settled).toEqual([]);
  });
});
