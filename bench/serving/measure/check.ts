import { isAnswer, type Sample } from '../model/sample.ts';
import type { Dialect, Subject } from '../subject/subject.ts';
import type { Encoding } from '../v2.ts';

const ANSWER_MS = 10_000;

/** Why a subject may not be measured: it answers wrongly. Null where all is well. */
export async function troubleOf(
  subject: Subject,
  sample: Sample,
  encoding: Encoding,
): Promise<string | null> {
  const dialect = subject.dialect(encoding);
  // Whoever infers nothing knows one answer.
  const rows = subject.kind.role === 'bare' ? 1 : sample.rows.length;
  for (let row = 0; row < rows; row++) {
    const trouble = await troubleOfRow(dialect, row, sample.answers[row]!);
    if (trouble !== null) return trouble;
  }
  return null;
}

async function troubleOfRow(
  { url, messages, read }: Dialect,
  row: number,
  want: Float32Array,
): Promise<string | null> {
  const { headers, body } = messages[row]!;
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: Uint8Array.from(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const answer = Buffer.from(await response.arrayBuffer());
  const said = answer.toString().slice(0, 200);
  if (response.status !== 200) return `it answered ${response.status}: ${said}`;
  try {
    const got = read(answer, response.headers);
    return isAnswer(got, want)
      ? null
      : `it answered [${got.slice(0, 3).join(', ')} …] and not [${want.slice(0, 3).join(', ')} …]`;
  } catch {
    return `its answer can not be read: ${said}`;
  }
}
