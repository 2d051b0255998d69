import { type HttpAnswer, statusLine } from '../answering.ts';
import { KEEP_ALIVE_MS } from '../limits.ts';

export interface PrintedAnswer {
  /** Head, and the body too where it is text. */
  text: string;
  /** Whether every character of `text` is one byte. */
  isAscii: boolean;
  /** What follows `text`; null: nothing. */
  body: Buffer | null;
}

/** So that clients give an idle connection up before we do. */
const KEEP = `keep-alive: timeout=${Math.floor(KEEP_ALIVE_MS / 1000)}`;

/** The bytes of an answer, head and body in one piece where that can be: one write is half of two. */
export type PrintAnswer = (answer: HttpAnswer, isLast: boolean) => PrintedAnswer;

/** Prints once what many get within the same second, as where they are turned away. */
export function rememberedPrint(): PrintAnswer {
  let last: { answer: HttpAnswer; isLast: boolean; date: string; printed: PrintedAnswer } | null = null;
  return (answer, isLast) => {
    const date = httpDate();
    if (last?.answer === answer && last.isLast === isLast && last.date === date) return last.printed;
    const printed = printAnswer(answer, isLast, date);
    last = { answer, isLast, date, printed };
    return printed;
  };
}

export function printAnswer(
  { status, headers, body }: HttpAnswer,
  isLast: boolean,
  date = httpDate(),
): PrintedAnswer {
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const end = isLast ? 'connection: close\r\n\r\n' : `${KEEP}\r\n\r\n`;
  const head = `${headOf(status, headers)}date: ${date}\r\ncontent-length: ${bytes}\r\n${end}`;
  if (typeof body !== 'string') return { text: head, isAscii: true, body };
  return { text: head + body, isAscii: body.length === bytes, body: null };
}

function headOf(status: number, headers: readonly string[]): string {
  let text = `${statusLine(status)}\r\n`;
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${safe(headers[index + 1]!)}\r\n`;
  return text;
}

/** No header of ours holds a line break; one that came in by data would end the head. */
function safe(value: string): string {
  return /[\r\n]/.test(value) ? value.replace(/[\r\n]+/g, ' ') : value;
}

let dateText = '';
let dateOf = 0;

/** Of this second: the text changes no more often. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateOf) {
    dateOf = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
