import { messageOf, SwitchbackError } from '../../error.ts';

/** One thing that was looked at. skip: it could not be, or there is nothing to look at. */
export interface Check {
  /** What: `git`, `push`, `runtime of prod`. */
  name: string;
  state: 'ok' | 'warn' | 'FAIL' | 'skip';
  /** What was found, as a clause. */
  said: string;
  /** What to do; null: nothing. */
  remedy: string | null;
}

export function ok(name: string, said: string): Check {
  return { name, state: 'ok', said, remedy: null };
}

export function skip(name: string, said: string): Check {
  return { name, state: 'skip', said, remedy: null };
}

export function warn(name: string, said: string, remedy: string): Check {
  return { name, state: 'warn', said, remedy };
}

export function fail(name: string, said: string, remedy: string): Check {
  return { name, state: 'FAIL', said, remedy };
}

/** What the check finds; an error of it is a finding too. */
export async function attempt(
  name: string,
  signal: AbortSignal,
  look: () => Promise<Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof SwitchbackError ? error.code : 'E_INTERNAL';
    return [fail(name, messageOf(error), `docs/errors.md says more of ${code}.`)];
  }
}
