import { open } from 'node:fs/promises';
import { z } from 'zod';

const TAIL_BYTES = 16 * 1024;
const LONGEST = 600;

const Line = z.looseObject({ level: z.string(), msg: z.string() });

/** What a process last said in its log since `from`, errors first; null when nothing. */
export async function lastWords(logFile: string, from: number): Promise<string | null> {
  const lines = (await readTail(logFile, from)).split('\n').filter(line => line.trim() !== '');
  const errors = lines.map(parseLine).filter(line => line !== null && /^(?:error|fatal)$/.test(line.level));
  const last = errors.at(-1);
  const words = last ? sentence(last) : (plainLines(lines).at(-1) ?? null);
  return words === null ? null : words.slice(0, LONGEST);
}

async function readTail(file: string, from: number): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  // A log that is shorter than it was has been put aside since.
  const start = Math.max(from > size ? 0 : from, size - TAIL_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
  return buffer.toString('utf8', 0, bytesRead);
}

function parseLine(line: string): z.infer<typeof Line> | null {
  try {
    return Line.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

function sentence(line: z.infer<typeof Line>): string {
  const reason = [line['reason'], line['error'], line['message']].find(part => typeof part === 'string');
  return reason === undefined ? line.msg : `${line.msg}: ${reason}`;
}

/** A crash speaks in plain text: the line that names the error, without the stack under it. */
function plainLines(lines: readonly string[]): string[] {
  const spoken = lines.filter(line => parseLine(line) === null && !/^\s+at |^\s*\^|^Node\.js v/.test(line));
  const named = spoken.filter(line => /\bError\b/.test(line));
  return named.length > 0 ? named : spoken;
}
