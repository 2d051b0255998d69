import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { lfsEndpoint } from '../../repository/lfs/address.ts';
import { isLoopback, type RemoteUrl } from '../../repository/remote-url.ts';
import type { Look } from '../workspace/workspace.ts';
import { type Check, fail, ok, skip } from './check.ts';

const ANSWER_WITHIN_MS = 15_000;
const MOST_ANSWER_BYTES = 256 * 1024;
const MEDIA = 'application/vnd.git-lfs+json';

export interface LfsRequest {
  remote: RemoteUrl;
  /** Where it is not the repository's own. */
  lfs: string | undefined;
  look: Look;
  /** The whole header for an endpoint; null: none is known. */
  authorization: (url: URL) => Promise<string | null>;
  signal: AbortSignal;
  fetch?: typeof globalThis.fetch;
}

interface KnownObject {
  path: string;
  oid: string;
  size: number;
}

/** Whether LFS gives one object that a version names. */
export async function lfsCheck(request: LfsRequest): Promise<Check> {
  const { remote, lfs, look } = request;
  const known = newestObject(look);
  if (known === null) return skip('lfs', 'no version keeps its weights in Git LFS');
  if (lfs === undefined && remote.kind === 'file') return folderCheck(remote.path, known);
  const text = lfs ?? lfsEndpoint(remote);
  if (text === null)
    return skip(
      'lfs',
      'an ssh remote tells its LFS endpoint when it is asked for an object; name it by --lfs to look',
    );
  const url = URL.parse(`${text.replace(/\/$/, '')}/objects/batch`);
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname)))
    return fail('lfs', `${text.slice(0, 200)} is no https address`, 'Name the endpoint by --lfs.');
  return judgeAnswer(await askFor(url, known, request), known);
}

/** What was registered last is what is fetched next. */
function newestObject({ view, desired }: Look): KnownObject | null {
  const versions = [...desired.models.values()].flatMap(({ folder, versions }) =>
    versions.map(version => ({ folder, version })),
  );
  versions.sort((a, b) => b.version.introducedAt - a.version.introducedAt);
  for (const { folder, version } of versions)
    for (const name of Object.keys(version.artifacts)) {
      const path = `models/${folder}/versions/${version.label}/${name}`;
      const file = view.files.get(path);
      if (file?.kind === 'pointer') return { path, oid: file.digest, size: file.sizeBytes };
    }
  return null;
}

/** A clone leaves weights out on purpose; a bare repository that serves has to have them. */
function folderCheck(folder: string, { path, oid }: KnownObject): Check {
  const isClone = existsSync(join(folder, '.git'));
  const objects = join(folder, isClone ? '.git/lfs/objects' : 'lfs/objects');
  if (existsSync(join(objects, oid.slice(0, 2), oid.slice(2, 4), oid)))
    return ok('lfs', `the folder has ${path}`);
  if (isClone) return skip('lfs', 'this clone leaves weights out, as it should');
  return fail(
    'lfs',
    `${folder} lacks the object of ${path}`,
    'Push it: git lfs push --all, from where it was made.',
  );
}

const Answer = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      size: z.number().optional(),
      error: z.object({ code: z.number(), message: z.string().nullish() }).nullish(),
      actions: z.object({ download: z.looseObject({ href: z.string() }).optional() }).nullish(),
    }),
  ),
});

async function askFor(
  url: URL,
  { oid, size }: KnownObject,
  { authorization, signal, fetch = globalThis.fetch }: LfsRequest,
): Promise<{ status: number; text: string }> {
  const header = await authorization(url);
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: MEDIA, 'content-type': MEDIA, ...(header === null ? {} : { authorization: header }) },
    body: JSON.stringify({ operation: 'download', transfers: ['basic'], objects: [{ oid, size }] }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.length > MOST_ANSWER_BYTES) break;
  }
  return { status: response.status, text };
}

export function judgeAnswer(
  { status, text }: { status: number; text: string },
  { path, oid }: Pick<KnownObject, 'path' | 'oid'>,
): Check {
  if (status === 401 || status === 403)
    return fail(
      'lfs',
      `the LFS server does not accept the credentials (${status})`,
      'Check the token and its rights.',
    );
  if (status !== 200)
    return fail(
      'lfs',
      `no LFS server answers there (${status})`,
      'Name the endpoint by --lfs, or mend its address.',
    );
  const found = Answer.safeParse(parse(text)).data?.objects.find(object => object.oid === oid);
  if (found === undefined)
    return fail('lfs', 'what answers there does not speak the LFS batch API', 'Name the endpoint by --lfs.');
  if (found.error || !found.actions?.download)
    return fail(
      'lfs',
      `the LFS server does not give ${path}: ${found.error?.message?.slice(0, 200) ?? 'it names no download'}`,
      'Push it: git lfs push --all, from where it was made.',
    );
  return ok('lfs', `gives ${path}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
