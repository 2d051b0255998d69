import { Duration, type Instant } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/;
const DAY_WORD = /^(today|yesterday)(?: (?:at )?(\d\d?):(\d\d))?$/;
const AGO = /^(\d{1,6}) ?(min(?:ute)?|m|hour|h|day|d|week|w)s? ago$/;
const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/**
 * A time as a person writes it: ISO with its zone, a local date or time without one, `2h ago`, `yesterday 14:00`.
 * Throws E_USAGE for anything else, and for a day that no calendar has.
 */
export function parseTime(text: string, now: Instant): Instant {
  const said = text.trim().replace(/\s+/g, ' ');
  const instant = said === 'now' ? now : (ago(said, now) ?? dayWord(said, now) ?? dateTime(said));
  if (instant !== null) return instant;
  throw new SwitchbackError(
    'E_USAGE',
    `${JSON.stringify(text.slice(0, 60))} is not a time. Write it like "2026-11-23T14:00:00Z", "2026-11-23 14:00" (this machine's zone), "2h ago" or "yesterday 14:00".`,
  );
}

/** A duration before now such as `10m`, or a time. */
export function parseSince(text: string, now: Instant): Instant {
  const duration = Duration.safeParse(text);
  return duration.success ? now - duration.data : parseTime(text, now);
}

function ago(said: string, now: Instant): Instant | null {
  const [, count, unit] = AGO.exec(said) ?? [];
  return count === undefined || unit === undefined ? null : now - Number(count) * (UNIT_MS[unit[0]!] ?? 0);
}

/** Alone it means this time of that day. */
function dayWord(said: string, now: Instant): Instant | null {
  const [, word, hours, minutes] = DAY_WORD.exec(said) ?? [];
  if (word === undefined) return null;
  const day = new Date(now);
  if (word === 'yesterday') day.setDate(day.getDate() - 1);
  if (hours === undefined || minutes === undefined) return day.getTime();
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return day.setHours(Number(hours), Number(minutes), 0, 0);
}

function dateTime(said: string): Instant | null {
  const found = DATE_TIME.exec(said);
  if (found === null) return null;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1, 7)
    .map(part => Number(part ?? 0));
  const daysOfMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth) return null;
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const ms = Number((found[7] ?? '0').padEnd(3, '0'));
  const zone = found[8];
  if (zone === undefined) return new Date(year, month - 1, day, hours, minutes, seconds, ms).getTime();
  return Date.UTC(year, month - 1, day, hours, minutes, seconds, ms) - zoneMs(zone);
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
