/** What a client of HTTP/1.1 must know of an answer, to count it and to use the connection again. */
export interface AnswerEnd {
  status: number;
  isOpen: boolean;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * Reads answers to one request at a time. Called with each chunk; gives the answer once it is whole, null before.
 * Throws for what is no HTTP. It looks at the head and counts the rest, since it shares the machine with whom it asks.
 */
export function answerReader(): (chunk: Buffer) => AnswerEnd | null {
  let held: Buffer | null = null;
  return chunk => {
    const all: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    const found = readAnswer(all);
    held = found === null ? all : null;
    return found;
  };
}

function readAnswer(all: Buffer): AnswerEnd | null {
  const headEnd = all.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = all.toString('latin1', 0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  if (!head.startsWith('http/1.') || !Number.isInteger(status)) throw new Error('that is no HTTP/1.1');
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  const isWhole =
    length === undefined
      ? all.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
      : all.length >= headEnd + HEAD_END.length + Number(length);
  return isWhole ? { status, isOpen: !/\r\nconnection: *close/.test(head) } : null;
}
