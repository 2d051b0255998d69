const LONGEST = 600;
const CREDENTIALS = /\/\/[^/\s@]+@/g;
/** Escape sequences first, whole, so that no half of one stays behind. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Foreign text made fit to be shown: printable, without credentials or any of `secrets`. Lines stay lines. */
export function plainText(text: string, secrets: readonly string[]): string {
  let plain = text.replace(ESCAPES, '').replace(CONTROLS, ' ').replace(CREDENTIALS, '//');
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
