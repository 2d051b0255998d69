import { CommitSha } from '@switchback-ml/schemas';

const LIMIT_BYTES = 256 * 1024;

/** `unknown`: this server does not answer the short way, so git must ask. `silent`: it does not answer at all. */
export type RemoteRef =
  | { kind: 'at'; commit: CommitSha }
  | { kind: 'absent' }
  | { kind: 'unknown' }
  | { kind: 'silent' };

/**
 * Where one ref stands, by a single request of git's protocol version 2 instead of a process and two requests; for
 * remotes that need no credentials. Whatever is unusual is left to git, which also knows how to say what is wrong.
 */
export async function lsRefs(
  url: string,
  ref: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<RemoteRef> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/git-upload-pack`, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'content-type': 'application/x-git-upload-pack-request',
        accept: 'application/x-git-upload-pack-result',
        'git-protocol': 'version=2',
      },
      body: `${line('command=ls-refs\n')}0001${line(`ref-prefix ${ref}\n`)}0000`,
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await boundedText(response);
    return response.status === 200 && text !== null ? readRefs(text, ref) : { kind: 'unknown' };
  } catch {
    signal.throwIfAborted();
    return { kind: timeout.aborted ? 'silent' : 'unknown' };
  }
}

/** One packet: four hexadecimal digits of length, themselves included, then the content. */
function line(content: string): string {
  return (content.length + 4).toString(16).padStart(4, '0') + content;
}

/** Exported for its test: the answer comes from the world. */
export function readRefs(text: string, ref: string): RemoteRef {
  for (let position = 0; position < text.length; ) {
    const length = Number.parseInt(text.slice(position, position + 4), 16);
    if (length === 0) return position + 4 === text.length ? { kind: 'absent' } : { kind: 'unknown' };
    if (!(length > 4)) return { kind: 'unknown' };
    const [id, name] = text
      .slice(position + 4, position + length)
      .trimEnd()
      .split(' ');
    const commit = CommitSha.safeParse(id);
    if (!commit.success) return { kind: 'unknown' };
    if (name === ref) return { kind: 'at', commit: commit.data };
    position += length;
  }
  return { kind: 'unknown' };
}

async function boundedText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LIMIT_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}
