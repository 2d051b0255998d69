/** Escape sequences first, whole, so that no half of one stays behind. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Foreign text that does nothing to a terminal and never runs backwards. Lines stay lines. */
export function harmless(text: string): string {
  return text.replace(ESCAPES, '').replace(CONTROLS, ' ');
}

/** The same on one line of at most so many characters, for a name or a subject. */
export function harmlessLine(text: string, longest: number): string {
  const line = harmless(text.slice(0, 2 * longest))
    .replaceAll('\n', ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest)} …` : line;
}
