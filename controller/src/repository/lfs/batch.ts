import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import { oneLine, plainText } from '../git-cli/words.ts';
import type { LfsObject } from '../repository.ts';
import type { Addresses } from './address.ts';
import { type Transport, unreachable } from './transport.ts';

/** What the server says to do for one object; `actions` is empty for an upload that it has already. */
export interface Actions {
  download?: Action;
  upload?: Action;
  verify?: Action;
}

export interface Action {
  url: URL;
  /** Names in lower case; they are for this address alone. */
  headers: Record<string, string>;
}

export interface BatchRequest {
  transport: Transport;
  addresses: Addresses;
  operation: 'download' | 'upload';
  object: LfsObject;
  /** Values that must not appear in a message. */
  secrets: readonly string[];
  signal: AbortSignal;
}

export const LFS_HEADERS = {
  accept: 'application/vnd.git-lfs+json',
  'content-type': 'application/vnd.git-lfs+json',
};

const ANSWER_LIMIT = 1024 * 1024;
/** Set by whoever sends the body, or a way around the address. */
const NOT_THEIRS = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'cookie', 'range']);

const WireAction = z.object({
  href: z.string().max(16_000),
  header: z
    .record(
      z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/)
        .toLowerCase(),
      z.string().regex(/^[\t\x20-\x7e]{0,16000}$/),
    )
    .nullish(),
});
const WireAnswer = z.object({
  transfer: z.literal('basic').nullish(),
  hash_algo: z.literal('sha256').nullish(),
  objects: z
    .array(
      z.object({
        oid: z.string(),
        size: z.number(),
        error: z.object({ code: z.number(), message: z.string().nullish() }).nullish(),
        actions: z
          .object({
            download: WireAction.optional(),
            upload: WireAction.optional(),
            verify: WireAction.optional(),
          })
          .nullish(),
      }),
    )
    .max(100),
});

/** Asks the batch API about one object. */
export async function askBatch(request: BatchRequest): Promise<Actions> {
  const { transport, addresses, operation, object, signal } = request;
  const response = await transport({
    url: new URL('objects/batch', addresses.base),
    method: 'POST',
    headers: LFS_HEADERS,
    body: JSON.stringify({
      operation,
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: [{ oid: object.digest, size: object.sizeBytes }],
    }),
    signal,
  });
  const answer = WireAnswer.safeParse(parseJson(await readText(response, signal)));
  const found = answer.data?.objects.find(({ oid }) => oid === object.digest);
  if (found === undefined) throw unusable('does not answer as the LFS batch API says');
  if (found.error) throw refusedObject(request, found.error);
  if (found.size !== object.sizeBytes)
    throw unusable(`has ${found.size} bytes under ${object.digest} where ${object.sizeBytes} are declared`);
  const { download, upload, verify } = found.actions ?? {};
  return {
    ...(download && { download: action(addresses, download) }),
    ...(upload && { upload: action(addresses, upload) }),
    ...(verify && { verify: action(addresses, verify) }),
  };
}

function action(addresses: Addresses, { href, header }: z.infer<typeof WireAction>): Action {
  const headers = Object.entries(header ?? {}).filter(([name]) => !NOT_THEIRS.has(name));
  return { url: addresses.accept(href, addresses.base), headers: Object.fromEntries(headers) };
}

async function readText(response: Response, signal: AbortSignal): Promise<string> {
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
  if (size > ANSWER_LIMIT) throw unusable(`answers with more than ${ANSWER_LIMIT} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusedObject(
  { operation, object, secrets }: BatchRequest,
  { code, message }: { code: number; message?: string | null | undefined },
): SwitchbackError {
  const said = oneLine(plainText(message ?? '', secrets));
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server refuses the ${operation} of ${object.digest} (${code}${said === '' ? '' : `: ${said}`}).${
      operation === 'download' ? ' Push the object with "git lfs push --all".' : ''
    }`,
    { details: { digest: object.digest, status: code } },
  );
}

function unusable(what: string): SwitchbackError {
  return new SwitchbackError('E_LFS_OBJECT', `The LFS server ${what}; check its address and its version.`);
}
