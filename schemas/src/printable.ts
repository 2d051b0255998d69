/** Whatever moves a cursor, colours, hides, reorders or ends a line: C0, DEL, C1, and Unicode's marks of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const UNSEEN_BUT_LINES = new RegExp(`(?!\\n)${UNSEEN.source}`, 'g');

/**
 * Foreign text on one line of a terminal: a name, a subject, a reason or a log line can neither move the cursor nor
 * fake a line. White space becomes a space, everything else is shown by its number.
 */
export function plain(text: string): string {
  return text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ').replace(UNSEEN, byNumber);
}

/** Everything that is printed passes through here last. The form `\u001b` means in JSON what stood there. */
export function printable(text: string): string {
  return text.replace(UNSEEN_BUT_LINES, byNumber);
}

function byNumber(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
