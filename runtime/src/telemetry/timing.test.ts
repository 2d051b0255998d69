import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverTiming } from './timing.ts';

test('a header names each stage that was passed, in order', () => {
  expect(serverTiming({ parseMs: 0.02, queueMs: 1.3, batchMs: 0.25, runMs: 12, encodeMs: 0.0096 })).toBe(
    'parse;dur=0.02, queue;dur=1.3, batch;dur=0.25, run;dur=12, encode;dur=0.01',
  );
  expect(serverTiming({ parseMs: 0, queueMs: 0, batchMs: 0, runMs: 0, encodeMs: 0.5 })).toBe(
    'encode;dur=0.5',
  );
  expect(serverTiming({ parseMs: 0, queueMs: 0, batchMs: 0, runMs: 0, encodeMs: 0 })).toBe('');
});

test('every duration is printed as a plain decimal, right to half a microsecond', () => {
  const ms = fc.double({ min: 0, max: 1e7, noNaN: true });
  fc.assert(
    fc.property(ms, runMs => {
      const [, printed] =
        /^run;dur=(\d+(?:\.\d{1,3})?)$/.exec(
          serverTiming({ parseMs: 0, queueMs: 0, batchMs: 0, runMs: runMs + 1e-9, encodeMs: 0 }),
        ) ?? [];
      expect(Math.abs(Number(printed) - runMs)).toBeLessThanOrEqual(0.000501);
    }),
  );
});
