import { harmless } from '../harmless-text.ts';

const LONGEST = 600;
const CREDENTIALS = /\/\/[^/\s@]+@/g;

/** Foreign text made fit to be shown: harmless, without credentials or any of `secrets`. Lines stay lines. */
export function plainText(text: string, secrets: readonly string[]): string {
  let plain = harmless(text).replace(CREDENTIALS, '//');
  for (const secret of secrets) plain = plain.replaceAll(secret, '[secret]');
  return plain;
}

/** The same on one bounded line, for a message. */
export function oneLine(plain: string): string {
  const line = plain
    .split('\n')
    .map(part => part.trim())
    .filter(part => part !== '')
    .join('; ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
