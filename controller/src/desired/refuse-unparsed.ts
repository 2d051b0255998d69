import { type Flaw, flaw } from './flaw.ts';
import { secretIn } from './secret.ts';

/** Enough for any manifest; what the parser spends grows faster than the text, so bytes are capped before it runs. */
const MOST_BYTES = 64 * 1024;
export const DEEPEST = 40;

/** Also turns of direction and foreign line ends: a reviewer must see what a machine reads. Tab, CR and LF are text. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/**
 * What can be refused by looking at the text alone, so that nothing hostile costs a parser's time, or reaches the
 * parser's own messages: size, depth, unseen characters, secrets.
 */
export function refuseUnparsed(text: string): Flaw | null {
  if (Buffer.byteLength(text) > MOST_BYTES) return flaw('E_MANIFEST_TOO_LARGE');
  const unseen = UNSEEN.exec(text);
  if (unseen) return flaw('E_MANIFEST_ENCODING', { line: lineAt(text, unseen.index) });
  const deep = tooDeepAt(text);
  if (deep !== null) return flaw('E_MANIFEST_DEPTH', { line: lineAt(text, deep) });
  const secret = secretIn(text);
  if (secret)
    return flaw('E_MANIFEST_SECRET', {
      message: `holds what looks like ${secret.what}`,
      line: lineAt(text, secret.offset),
    });
  return null;
}

/** Whether a decoded text, such as `"\e[2J"` stands for, holds what may not be written plainly; a CR neither. */
export function holdsUnseen(text: string): boolean {
  return UNSEEN.test(text) || text.includes('\r');
}

/** Where brackets or dashes of one line nest deeper than any manifest; an upper bound, since it reads no quotes. */
function tooDeepAt(text: string): number | null {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '[' || character === '{') {
      if (++depth > DEEPEST) return at;
    } else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  const dashes = new RegExp(`^[ \\t]*(?:- ){${DEEPEST + 1}}`, 'm').exec(text);
  return dashes?.index ?? null;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
