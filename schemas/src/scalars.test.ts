import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, Duration, Percent, Rate, Size } from './index.ts';

const bad = ['0s', '-1m', '1e99h', 'NaN', '', '5', '5 m', '１m', '99999999999d'];

test.each(bad)('refuses %j as a duration and says what one looks like', text => {
  const parsed = Duration.safeParse(text);

  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues[0]?.message).toContain('must be a duration such as "30s"');
});

test('reads durations, sizes, percentages and rates into one unit each', () => {
  expect(Duration.parse('1.5h')).toBe(5_400_000);
  expect(Size.parse('512Mi')).toBe(536_870_912);
  expect(Percent.parse('99.9%')).toBe(0.999);
  expect(Rate.parse('2 per 1h')).toEqual({ count: 2, windowMs: 3_600_000 });
});

test('canonical JSON does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());

      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
