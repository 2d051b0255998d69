import { canonicalJson, Event } from '@switchback-ml/schemas';
import { z } from 'zod';
import { messageOf, SwitchbackError } from '../error.ts';

/** Canonical, and refusing what JSON would silently turn into `null`. */
export function toJson(value: unknown, what: string): string {
  try {
    return canonicalJson(value);
  } catch (cause) {
    const message = `ledger: ${what} can not be written as JSON (${messageOf(cause)}); nothing was written`;
    throw new SwitchbackError('E_LEDGER', message, { cause });
  }
}

export function fromJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(what, messageOf(cause), cause);
  }
}

/** Events are checked on the way in and on the way out, so that the log never holds one that can't be read. */
export function checkedEvent(event: unknown, what: string): Event {
  return checked(Event, event, what);
}

export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw damaged(what, z.prettifyError(result.error), result.error);
}

function damaged(what: string, why: string, cause: unknown): SwitchbackError {
  const message = `ledger: ${what} is not as this version writes it (${why}); look at what made it: another version, or a hand`;
  return new SwitchbackError('E_LEDGER', message, { cause });
}
