import { SwitchbackError } from '../../../error.ts';

/** `why` completes "The body is no inference request:". */
export function badBody(why: string): SwitchbackError {
  return new SwitchbackError('E_BODY', `The body is no inference request: ${why}.`);
}
