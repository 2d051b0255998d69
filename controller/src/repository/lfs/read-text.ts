import { SwitchbackError } from '../../error.ts';
import { unreachable } from './transport.ts';

const ANSWER_LIMIT = 1024 * 1024;

/** The body of an answer that is words; throws E_LFS_OBJECT for one that does not end. */
export async function readText(response: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > ANSWER_LIMIT) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(cause);
  }
  if (size <= ANSWER_LIMIT) return Buffer.concat(chunks).toString('utf8');
  throw new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server answers with more than ${ANSWER_LIMIT} bytes; check its address and its version.`,
  );
}
