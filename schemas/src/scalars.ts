import { z } from 'zod';

/*
 * One grammar for the scalars people write. Everything is a positive, finite number of one unit: `0s`, `-1m`,
 * `1e99h` and `NaN` are refused here, so that no later stage has to ask.
 */
const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Record<string, number> = {
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
};
const LONGEST_MS = 10 * 366 * 86_400_000;

/** `50ms`, `30s`, `5m`, `24h`, `30d` → milliseconds. */
export const Duration = scalar('a duration such as "30s", "5m" or "24h"', text => {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (DURATION_MS[unit ?? ''] ?? Number.NaN);
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
});

/** `512Mi`, `2Gi`, `100k` → bytes. */
export const Size = scalar('a size such as "512Mi" or "2Gi"', text => {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(Ki|Mi|Gi|k|M|G)?$/.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (SIZE_BYTES[unit ?? ''] ?? Number.NaN));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
});

/** `99.9%` → 0.999. Zero is allowed, more than 100 % is not. */
export const Percent = scalar('a percentage such as "99.9%"', text => {
  const [, amount] = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/.exec(text) ?? [];
  const percent = Number(amount);
  return percent <= 100 ? Number((percent / 100).toPrecision(12)) : null;
});

/** `2 per 1h` → how many in which time. */
export const Rate = scalar('a rate such as "2 per 1h"', text => {
  const [, count, window] = /^(\d{1,6}) per (\S+)$/.exec(text) ?? [];
  const windowMs = Duration.safeParse(window);
  return count !== undefined && windowMs.success ? { count: Number(count), windowMs: windowMs.data } : null;
});
export type Rate = z.infer<typeof Rate>;

function scalar<Value>(expected: string, parse: (text: string) => Value | null) {
  return z
    .string({ error: issue => `must be ${expected}, not ${quoted(issue.input)}` })
    .transform((text, context) => {
      const value = parse(text);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: `must be ${expected}, not ${quoted(text)}` });
      return z.NEVER;
    });
}

function quoted(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 60) ?? 'nothing';
}
