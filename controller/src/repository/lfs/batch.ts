import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import { oneLine, plainText } from '../git-cli/words.ts';
import type { LfsObject } from '../repository.ts';
import type { Addresses } from './address.ts';
import { readText } from './read-text.ts';
import type { Transport } from './transport.ts';

/** What the server says to do for one object; without any action for an upload that it has already. */
export interface Actions {
  download?: Action;
  upload?: Action;
  verify?: Action;
}

export interface Action {
  url: URL;
  /** Names in lower case; they are for this address alone. */
  headers: Record<string, string>;
  /** Null: the server does not say. */
  lastsMs: number | null;
  /** The same as a time of the server's clock; it may not be ours. */
  lastsUntil: number | null;
}

export type Operation = 'download' | 'upload';

export interface BatchRequest {
  transport: Transport;
  addresses: Addresses;
  operation: Operation;
  objects: readonly LfsObject[];
  /** Values that must not appear in a message. */
  secrets: readonly string[];
  signal: AbortSignal;
}

export const LFS_HEADERS = {
  accept: 'application/vnd.git-lfs+json',
  'content-type': 'application/vnd.git-lfs+json',
};
/** More in one request are refused by some servers. */
export const MOST_OBJECTS = 100;

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
  expires_in: z.number().nullish(),
  expires_at: z.string().max(100).nullish(),
});
type WireAction = z.infer<typeof WireAction>;

const WireObject = z.object({
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
});
type WireObject = z.infer<typeof WireObject>;

const WireAnswer = z.object({
  transfer: z.literal('basic').nullish(),
  hash_algo: z.literal('sha256').nullish(),
  objects: z.array(WireObject).max(MOST_OBJECTS),
});

/** What the batch API says of each object; asking for it throws what is wrong with that one alone. */
export type BatchAnswer = (object: LfsObject) => Actions;

export async function askBatch(request: BatchRequest): Promise<BatchAnswer> {
  const { transport, addresses, operation, objects, signal } = request;
  const response = await transport({
    url: new URL('objects/batch', addresses.base),
    method: 'POST',
    headers: LFS_HEADERS,
    body: JSON.stringify({
      operation,
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: objects.map(({ digest, sizeBytes }) => ({ oid: digest, size: sizeBytes })),
    }),
    signal,
  });
  const answer = WireAnswer.safeParse(parseJson(await readText(response, signal)));
  const found = answer.data?.objects ?? [];
  return object => {
    const same = found.filter(({ oid }) => oid === object.digest);
    const said = same.find(({ size }) => size === object.sizeBytes) ?? same[0];
    if (said === undefined) throw unusable('does not answer as the LFS batch API says');
    return actionsOf(request, object, said);
  };
}

function actionsOf(request: BatchRequest, object: LfsObject, said: WireObject): Actions {
  if (said.error) throw refusedObject(request, object, said.error);
  if (said.size !== object.sizeBytes)
    throw unusable(`has ${said.size} bytes under ${object.digest} where ${object.sizeBytes} are declared`);
  const { download, upload, verify } = said.actions ?? {};
  const { addresses } = request;
  return {
    ...(download && { download: action(addresses, download) }),
    ...(upload && { upload: action(addresses, upload) }),
    ...(verify && { verify: action(addresses, verify) }),
  };
}

function action(addresses: Addresses, { href, header, expires_in, expires_at }: WireAction): Action {
  const headers = Object.entries(header ?? {}).filter(([name]) => !NOT_THEIRS.has(name));
  const until = Date.parse(expires_at ?? '');
  return {
    url: addresses.accept(href, addresses.base),
    headers: Object.fromEntries(headers),
    lastsMs: expires_in == null || expires_in === 0 ? null : expires_in * 1000,
    // A server that leaves the time out may still write the first one that its language knows.
    lastsUntil: until > 0 ? until : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusedObject(
  { operation, secrets }: BatchRequest,
  { digest }: LfsObject,
  { code, message }: { code: number; message?: string | null | undefined },
): SwitchbackError {
  const said = oneLine(plainText(message ?? '', secrets));
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server refuses the ${operation} of ${digest} (${code}${said === '' ? '' : `: ${said}`}).${
      operation === 'download' ? ' Push the object with "git lfs push --all".' : ''
    }`,
    { details: { digest, status: code } },
  );
}

function unusable(what: string): SwitchbackError {
  return new SwitchbackError('E_LFS_OBJECT', `The LFS server ${what}; check its address and its version.`);
}
