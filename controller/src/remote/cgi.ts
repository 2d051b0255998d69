import { SwitchbackError } from '../error.ts';

export interface CgiHead {
  status: number;
  headers: Record<string, string>;
  /** What came after the head already. */
  rest: Buffer;
}

const HEAD_LIMIT = 16 * 1024;

/** The head of a CGI answer, or null while it is not whole. */
export function parseCgiHead(bytes: Buffer): CgiHead | null {
  const text = bytes.subarray(0, HEAD_LIMIT).toString('latin1');
  const blank = /\r?\n\r?\n/.exec(text);
  if (blank === null) {
    if (bytes.length > HEAD_LIMIT)
      throw new SwitchbackError('E_GIT_FAILED', 'What git answers has a head that does not end.');
    return null;
  }
  const headers: Record<string, string> = {};
  for (const line of text.slice(0, blank.index).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { status = '200', ...others } = headers;
  return {
    status: Number.parseInt(status, 10),
    headers: others,
    rest: bytes.subarray(blank.index + blank[0].length),
  };
}
