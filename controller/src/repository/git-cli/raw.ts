import { BlobId, CommitSha } from '@switchback-ml/schemas';
import type { Change, HistoryEntry } from '../repository.ts';

/** Fields of one commit, each ended by NUL, which no field can hold; `parseHistory` reads them back. */
export const LOG_FORMAT = '%H%x00%P%x00%ct%x00%an%x00%s%x00%b%x00';

const ABSENT = /^0+$/;
const FIELDS = 6;

/** Reads `diff-tree -r -z --raw`: `:mode mode id id status`, NUL, path, NUL. */
export function parseChanges(output: Buffer): Change[] {
  const tokens = tokensOf(output);
  const changes: Change[] = [];
  while (tokens.position < tokens.all.length) changes.push(readChange(tokens));
  return changes;
}

/** Reads `log -z --raw` in `LOG_FORMAT`; a commit's changes follow its fields. */
export function parseHistory(output: Buffer): HistoryEntry[] {
  const tokens = tokensOf(output);
  const entries: HistoryEntry[] = [];
  while (tokens.position < tokens.all.length) {
    const [commit, parents, seconds, author, subject, body] = takeFields(tokens);
    const [parent] = (parents ?? '').split(' ');
    const changes: Change[] = [];
    while (isChange(tokens)) changes.push(readChange(tokens));
    entries.push({
      commit: CommitSha.parse(commit),
      parent: parent ? CommitSha.parse(parent) : null,
      at: Number(seconds) * 1000 || 0,
      author: author ?? '',
      subject: subject ?? '',
      body: (body ?? '').trimEnd(),
      changes,
    });
  }
  return entries;
}

interface Tokens {
  all: readonly string[];
  position: number;
}

/** Git puts a line feed before the first change and an empty token after the format; neither says anything. */
function tokensOf(output: Buffer): Tokens {
  const text = output.toString('utf8');
  const all = text === '' ? [] : text.split('\0');
  if (all.at(-1) === '') all.pop();
  return { all, position: 0 };
}

function takeFields(tokens: Tokens): string[] {
  const fields = tokens.all.slice(tokens.position, tokens.position + FIELDS);
  tokens.position += FIELDS;
  // The format's own end.
  if (tokens.all[tokens.position] === '') tokens.position++;
  return fields;
}

function isChange(tokens: Tokens): boolean {
  return /^\n?:/.test(tokens.all[tokens.position] ?? '');
}

function readChange(tokens: Tokens): Change {
  const [oldMode = '', newMode = '', , blob = ''] = (tokens.all[tokens.position] ?? '')
    .replace(/^\n?:/, '')
    .split(' ');
  const path = tokens.all[tokens.position + 1] ?? '';
  tokens.position += 2;
  return ABSENT.test(blob)
    ? { path, blob: null, mode: oldMode }
    : { path, blob: BlobId.parse(blob), mode: newMode };
}
