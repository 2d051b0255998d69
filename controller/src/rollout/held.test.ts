import { expect, test } from 'vitest';
import { isHeld } from './held.ts';
import { holdOf, MINUTE, START, specOf } from './rollout.fixture.ts';

const SPEC = specOf('1.3.0');
const TUNED = specOf('1.3.0', { limits: { timeout: 5 } });
const at = (instant: number): string => new Date(instant).toISOString();

test.each<[string, Parameters<typeof isHeld>[0], Parameters<typeof isHeld>[1], boolean]>([
  ['no hold holds nothing', SPEC, [], false],
  ['a hold holds its digest', SPEC, [holdOf(SPEC)], true],
  ['under whatever settings', TUNED, [holdOf(SPEC)], true],
  ['and before any settings are known', { digest: SPEC.digest, settingsDigest: null }, [holdOf(SPEC)], true],
  ['a hold holds no other digest', SPEC, [holdOf(specOf('1.4.0'))], false],
  ['a hold of settings holds those', TUNED, [holdOf(SPEC, { settings: TUNED.settingsDigest })], true],
  ['and no others', SPEC, [holdOf(SPEC, { settings: TUNED.settingsDigest })], false],
  [
    'and no version whose settings are open',
    { digest: SPEC.digest, settingsDigest: null },
    [holdOf(SPEC, { settings: SPEC.settingsDigest })],
    false,
  ],
  ['a hold holds until its end', SPEC, [holdOf(SPEC, { until: at(START + MINUTE) })], true],
  ['and not at its end', SPEC, [holdOf(SPEC, { until: at(START) })], false],
  ['one of several is enough', SPEC, [holdOf(SPEC, { until: at(0) }), holdOf(TUNED), holdOf(SPEC)], true],
])('%s', (_, revision, holds, expected) => {
  expect(isHeld(revision, holds, START)).toBe(expected);
});

test('an end is read with its zone', () => {
  const hold = holdOf(SPEC, { until: '2026-01-01T12:00:00+02:00' });

  expect(isHeld(SPEC, [hold], Date.UTC(2026, 0, 1, 9, 59))).toBe(true);
  expect(isHeld(SPEC, [hold], Date.UTC(2026, 0, 1, 10, 1))).toBe(false);
});
