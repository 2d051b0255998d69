import { badBody } from './bad-body.ts';

/** The header that says how many bytes of a body are JSON; what is behind them is tensors. */
export const HEAD_LENGTH = 'inference-header-content-length';

/** Null: there is no such header, and all is JSON. Throws E_BODY for what is no length within the body. */
export function headLength(header: string | undefined, bodyLength: number): number | null {
  if (header === undefined) return null;
  const length = Number(header);
  if (isWhole(header) && length <= bodyLength) return length;
  const got = JSON.stringify(header.slice(0, 40));
  throw badBody(
    `the header "${HEAD_LENGTH}" must be a whole number from 0 to ${bodyLength}, the length of the body; got ${got}`,
  );
}

/** Digits and nothing else, few enough for a number to hold. */
function isWhole(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
