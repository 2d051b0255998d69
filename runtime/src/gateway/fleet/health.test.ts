import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterEvent, type Health, type HealthEvent, standingOf, UNKNOWN } from './health.ts';

const after = (events: readonly HealthEvent[], { mayEject = true, now = 0, from = UNKNOWN } = {}): Health =>
  events.reduce((health, event) => afterEvent(health, event, now, mayEject), from);
const probed = (answer: 'ready' | 'unready' | 'none'): HealthEvent => ({ kind: 'probed', answer });
const failed: HealthEvent = { kind: 'failed' };
const refused: HealthEvent = { kind: 'refused' };

test('a runtime is silent after two probes without an answer, and back with the next one', () => {
  const once = after([probed('ready'), probed('none')]);
  const twice = after([probed('none')], { from: once });

  expect(standingOf(once, 0)).toBe('ready');
  expect(standingOf(twice, 0)).toBe('silent');
  expect(standingOf(after([probed('unready')], { from: twice }), 0)).toBe('unready');
});

test('a runtime is put out by a refused connection, or by five failures in a row, for a while', () => {
  const ready = after([probed('ready')]);
  const broken = after([failed, failed, failed, failed, { kind: 'answered' }, failed], { from: ready });

  expect(standingOf(after([refused], { from: ready }), 999)).toBe('ejected');
  expect(standingOf(after([refused], { from: ready }), 1000)).toBe('ready');
  expect(standingOf(broken, 0)).toBe('ready');
  expect(standingOf(after([failed, failed, failed, failed], { from: broken }), 0)).toBe('ejected');
});

test('is put out longer each time, up to half a minute, and afresh after it was well for long', () => {
  let health = after([probed('ready')]);
  let now = 0;
  const waits: number[] = [];
  for (let round = 0; round < 7; round++) {
    health = after([refused], { from: health, now });
    waits.push(health.ejectedUntil - now);
    now = health.ejectedUntil;
  }

  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  expect(after([refused], { from: health, now: now + 30_000 }).ejectedUntil).toBe(now + 31_000);
});

test('whatever happens, nobody is put out who may not be, and a probe that is answered is believed', () => {
  const event = fc.constantFrom<HealthEvent>(
    failed,
    refused,
    { kind: 'answered' },
    probed('ready'),
    probed('none'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(3000))), steps => {
      let health = UNKNOWN;
      let now = 0;
      for (const [each, afterMs] of steps) {
        now += afterMs;
        health = afterEvent(health, each, now, false);
        expect(standingOf(health, now)).not.toBe('ejected');
      }
      expect(standingOf(afterEvent(health, probed('ready'), now, false), now)).toBe('ready');
    }),
  );
});
