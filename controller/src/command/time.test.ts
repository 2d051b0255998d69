import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSince, parseTime } from './time.ts';

const NOW = new Date(2026, 10, 23, 10, 30, 15, 250).getTime();
const HOUR = 3_600_000;
const local = (year: number, month: number, day: number, hours = 0, minutes = 0, seconds = 0): number =>
  new Date(year, month, day, hours, minutes, seconds).getTime();

describe('a time as a person writes it', () => {
  it.each([
    ['now', NOW],
    ['2026-11-23T14:00:00Z', Date.UTC(2026, 10, 23, 14)],
    ['2026-11-23T14:00Z', Date.UTC(2026, 10, 23, 14)],
    ['2026-11-23 14:00:01.5+02:00', Date.UTC(2026, 10, 23, 12, 0, 1, 500)],
    ['2026-11-23T14:00:00-0530', Date.UTC(2026, 10, 23, 19, 30)],
    ['2026-11-23 14:00', local(2026, 10, 23, 14)],
    ['2026-11-23T14:00:09', local(2026, 10, 23, 14, 0, 9)],
    ['2026-11-23', local(2026, 10, 23)],
    ['2h ago', NOW - 2 * HOUR],
    ['90 minutes ago', NOW - 1.5 * HOUR],
    ['90m ago', NOW - 1.5 * HOUR],
    ['1 day ago', NOW - 24 * HOUR],
    ['3 weeks ago', NOW - 21 * 24 * HOUR],
    ['yesterday 14:00', local(2026, 10, 22, 14)],
    ['yesterday at 9:05', local(2026, 10, 22, 9, 5)],
    ['today 08:00', local(2026, 10, 23, 8)],
    ['  yesterday   14:00 ', local(2026, 10, 22, 14)],
    ['2024-02-29', local(2024, 1, 29)],
  ])('%s', (text, instant) => {
    expect(parseTime(text, NOW)).toBe(instant);
  });

  it('without an hour means this time of yesterday', () => {
    const { hours, day } = fields(parseTime('yesterday', NOW));

    expect([hours, day]).toEqual([10, 22]);
  });

  it.each([
    '',
    'soon',
    '2026-02-30',
    '2026-13-01 00:00',
    '2026-11-23 24:00',
    '2026-11-23 14:60Z',
    '2h',
    'tomorrow',
    'yesterday 25:00',
    '23.11.2026',
    '1e3m ago',
    '2026-11-23T14:00:00Z; rm',
  ])('that is none is refused with examples: %j', text => {
    expect(() => parseTime(text, NOW)).toThrow(/is not a time\. Write it like "2026-/);
  });

  it('is the same instant in ISO, whatever the instant', () => {
    const date = fc.date({ min: new Date('1971-01-01'), max: new Date('9000-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, instant => {
        expect(parseTime(instant.toISOString(), NOW)).toBe(instant.getTime());
      }),
    );
  });

  it('since: a duration counts back from now', () => {
    expect(parseSince('10m', NOW)).toBe(NOW - HOUR / 6);
    expect(parseSince('yesterday 14:00', NOW)).toBe(local(2026, 10, 22, 14));
  });
});

function fields(instant: number): { hours: number; day: number } {
  const date = new Date(instant);
  return { hours: date.getHours(), day: date.getDate() };
}
