import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { CommitSha } from '@switchback-ml/schemas';
import { z } from 'zod';
import { messageOf } from './error.ts';
import type { Log } from './log.ts';
import type { RepositoryWatch } from './repository/view.ts';

const LastSeen = z.object({ url: z.string(), branch: z.string(), head: CommitSha });

interface Where {
  url: string;
  branch: string;
}

/** The head that an earlier life saw last of this very branch; null where none did. */
export function readLastSeen(file: string, { url, branch }: Where): CommitSha | null {
  try {
    const seen = LastSeen.parse(JSON.parse(readFileSync(file, 'utf8')));
    return seen.url === url && seen.branch === branch ? seen.head : null;
  } catch {
    return null;
  }
}

/** Keeps what was seen last, so that a history that is rewritten while nobody looks is noticed. */
export function rememberLastSeen(file: string, where: Where, watch: RepositoryWatch, log: Log): void {
  let written: CommitSha | null = null;
  watch.onChange(() => {
    const head = watch.latest()?.head ?? null;
    if (head === null || head === written) return;
    try {
      writeFileSync(`${file}.new`, JSON.stringify({ ...where, head }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      written = head;
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'what was seen last could not be kept');
    }
  });
}
