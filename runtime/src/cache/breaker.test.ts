import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advance,
  type Breaker,
  type BreakerEvent,
  FIRST_REST_MS,
  LONGEST_REST_MS,
  MOST_FAULTS,
  mayCall,
  UNTRIED,
} from './breaker.ts';

const event = fc.constantFrom<BreakerEvent>(
  'succeeded',
  'failed',
  'lost',
  'probe-began',
  'probe-succeeded',
  'probe-failed',
);
const step = fc.record({
  event,
  afterMs: fc.integer({ min: 0, max: 3000 }),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
const history = fc.array(step, { maxLength: 60 });

const CLOSED: Breaker = { kind: 'closed', faults: 0, trips: 0 };

/** Every state on the way, with its time. */
function run(first: Breaker, steps: { event: BreakerEvent; afterMs: number; random: number }[]) {
  let [breaker, now] = [first, 0];
  return steps.map(({ event, afterMs, random }) => {
    const before = breaker;
    now += afterMs;
    breaker = advance(before, event, now, random);
    return { before, breaker, event, now };
  });
}

describe('a breaker', () => {
  test('is tried before it is used', () => {
    expect(mayCall(UNTRIED, 0)).toBe('probe');
    expect(mayCall(advance(UNTRIED, 'probe-began', 0, 0), 0)).toBe('rest');
    expect(run(UNTRIED, probe('probe-succeeded')).at(-1)!.breaker).toEqual(CLOSED);
  });

  test('opens with the last of five failures in a row, not before', () => {
    const states = run(CLOSED, Array(MOST_FAULTS).fill({ event: 'failed', afterMs: 1, random: 0 }));

    expect(states.map(({ breaker }) => breaker.kind)).toEqual([
      'closed',
      'closed',
      'closed',
      'closed',
      'open',
    ]);
  });

  test('opens at once when the connection is lost', () => {
    expect(advance(CLOSED, 'lost', 0, 0).kind).toBe('open');
  });

  test('stands one failure in ten calls forever, and one in five not for long', () => {
    const seldom = Array.from({ length: 1000 }, (_, i) => (i % 10 === 9 ? 'failed' : 'succeeded'));
    const often = Array.from({ length: 100 }, (_, i) => (i % 5 === 4 ? 'failed' : 'succeeded'));
    const steps = (events: string[]) =>
      events.map(event => ({ event: event as BreakerEvent, afterMs: 1, random: 0 }));

    expect(run(CLOSED, steps(seldom)).every(({ breaker }) => breaker.kind === 'closed')).toBe(true);
    expect(run(CLOSED, steps(often)).some(({ breaker }) => breaker.kind === 'open')).toBe(true);
  });

  test('is on probation after a rest: the next failure opens it, and it rests twice as long', () => {
    const tripped = advance(CLOSED, 'lost', 0, 0.999);
    const again = run(tripped, [
      ...probe('probe-succeeded'),
      { event: 'failed', afterMs: 0, random: 0.999 },
    ]).at(-1)!;

    expect(again.breaker).toMatchObject({ kind: 'open', trips: 2 });
    expect((again.breaker as { until: number }).until - again.now).toBeCloseTo(2 * FIRST_REST_MS, -1);
  });

  test('remembers its rests through a few good calls', () => {
    const good = { event: 'succeeded' as const, afterMs: 1, random: 0 };
    const states = run(advance(CLOSED, 'lost', 0, 0), [
      ...probe('probe-succeeded'),
      ...Array(8).fill(good),
      { event: 'lost', afterMs: 1, random: 0 },
    ]);

    expect(states.at(-1)!.breaker).toMatchObject({ kind: 'open', trips: 2 });
  });

  test('has forgotten its rests after enough good calls', () => {
    const good = { event: 'succeeded' as const, afterMs: 1, random: 0 };
    const states = run(advance(CLOSED, 'lost', 0, 0), [...probe('probe-succeeded'), ...Array(32).fill(good)]);

    expect(states.at(-1)!.breaker).toEqual(CLOSED);
    expect(states.at(-2)!.breaker).not.toEqual(CLOSED);
  });

  test('rests after each opening, between half of the first rest and the longest, whatever happens', () => {
    fc.assert(
      fc.property(history, steps => {
        for (const { before, breaker, now } of run(UNTRIED, steps)) {
          if (breaker.kind !== 'open' || before.kind === 'open') continue;
          expect(breaker.until - now).toBeGreaterThanOrEqual(FIRST_REST_MS / 2);
          expect(breaker.until - now).toBeLessThanOrEqual(LONGEST_REST_MS);
          expect(mayCall(breaker, now)).toBe('rest');
          expect(mayCall(breaker, breaker.until)).toBe('probe');
        }
      }),
    );
  });

  test('closes by a probe that succeeded and by nothing else', () => {
    fc.assert(
      fc.property(history, steps => {
        for (const { before, breaker, event } of run(UNTRIED, steps))
          if (before.kind !== 'closed' && breaker.kind === 'closed') {
            expect(before.kind).toBe('probing');
            expect(event).toBe('probe-succeeded');
          }
      }),
    );
  });

  test('lets one probe run at a time, which always ends in a call or a rest', () => {
    fc.assert(
      fc.property(history, steps => {
        for (const { before, breaker, event, now } of run(UNTRIED, steps)) {
          if (breaker.kind === 'probing') expect(mayCall(breaker, now)).toBe('rest');
          if (before.kind === 'probing' && event.startsWith('probe-') && event !== 'probe-began')
            expect(breaker.kind).not.toBe('probing');
        }
      }),
    );
  });

  test('hears nothing of calls that were made before it opened', () => {
    const open = advance(CLOSED, 'lost', 0, 0.5);

    expect(advance(open, 'succeeded', 1, 0)).toBe(open);
    expect(advance(open, 'failed', 1, 0)).toBe(open);
  });
});

function probe(end: 'probe-succeeded' | 'probe-failed') {
  return [
    { event: 'probe-began' as const, afterMs: 0, random: 0 },
    { event: end, afterMs: 1, random: 0 },
  ];
}
