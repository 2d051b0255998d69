import { SwitchbackError } from '../error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws E_CONFIG. */
export function parseShare(name: string, text: string): number {
  const share = Number(text);
  if (/^[0-9.]{1,20}$/.test(text) && share >= 0 && share <= 1) return share;
  throw refused(name, 'must be a share from 0 to 1, such as 0.01');
}

/** Names the variable and never quotes it: it may hold a secret. */
export function refused(name: string, why: string): SwitchbackError {
  return new SwitchbackError('E_CONFIG', `${name} ${why}.`, { details: { variable: name } });
}
