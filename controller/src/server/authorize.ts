import type { Tokens } from '../access/tokens.ts';
import { may, type Verb } from '../access/verbs.ts';
import { SwitchbackError } from '../error.ts';

const BEARER = /^Bearer ([-_A-Za-z0-9]{1,200})$/i;

/** Throws E_UNAUTHENTICATED or E_FORBIDDEN unless the bearer of this header may do it. */
export function authorize(
  authorization: string | undefined,
  verb: Verb,
  tokens: Pick<Tokens, 'kindOf'>,
): void {
  if (may('anybody', verb)) return;
  const token = BEARER.exec(authorization ?? '')?.[1];
  const kind = token === undefined ? null : tokens.kindOf(token);
  if (kind === null)
    throw new SwitchbackError(
      'E_UNAUTHENTICATED',
      'A token of this controller is needed, as "Authorization: Bearer …". It stands in its state directory.',
    );
  if (!may(kind, verb))
    throw new SwitchbackError(
      'E_FORBIDDEN',
      `The ${kind} token may not ${verb.replace('-', ' ')}. Use the other one.`,
    );
}
