import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { DesiredVersion } from '../../desired/desired-state.ts';
import { lfsEndpoint } from '../../repository/lfs/address.ts';
import { isLoopback, type RemoteUrl } from '../../repository/remote-url.ts';
import type { Look } from '../workspace/workspace.ts';
import { type Check, fail, ok, skip } from './check.ts';

const ANSWER_WITHIN_MS = 15_000;
const MOST_ANSWER_BYTES = 1024 * 1024;
/** As many as one question to an LFS server takes. */
const MOST_OBJECTS = 100;
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

/** Whether LFS gives what the environments ask for, and what was registered last: it is fetched next. */
export async function lfsCheck(request: LfsRequest): Promise<Check> {
  const { remote, lfs, look } = request;
  const wanted = wantedObjects(look);
  if (wanted.length === 0) return skip('lfs', 'no version keeps its weights in Git LFS');
  if (lfs === undefined && remote.kind === 'file') return folderCheck(remote.path, wanted);
  const text = lfs ?? lfsEndpoint(remote);
  if (text === null)
    return skip(
      'lfs',
      'an ssh remote tells its LFS endpoint when it is asked for an object; name it by --lfs to look',
    );
  const url = URL.parse(`${text.replace(/\/$/, '')}/objects/batch`);
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname)))
    return fail('lfs', `${text.slice(0, 200)} is no https address`, 'Name the endpoint by --lfs.');
  return judgeAnswer(await askFor(url, wanted, request), wanted);
}

/** What is served or is to be, then the newest of each model; each object once. */
function wantedObjects({ view, desired }: Look): KnownObject[] {
  const objects = new Map<string, KnownObject>();
  const add = (folder: string, { label, artifacts }: Pick<DesiredVersion, 'label' | 'artifacts'>): void => {
    for (const name of Object.keys(artifacts)) {
      const path = `models/${folder}/versions/${label}/${name}`;
      const file = view.files.get(path);
      if (file?.kind === 'pointer' && !objects.has(file.digest))
        objects.set(file.digest, { path, oid: file.digest, size: file.sizeBytes });
    }
  };
  for (const { deployments } of desired.environments.values())
    for (const { model, wanted } of deployments.values())
      if (wanted) add(desired.models.get(model)?.folder ?? model, { ...wanted, label: wanted.version });
  for (const { folder, versions } of desired.models.values()) {
    const newest = versions.at(-1);
    if (newest) add(folder, newest);
  }
  return [...objects.values()].slice(0, MOST_OBJECTS);
}

/** A clone leaves weights out on purpose; a bare repository that serves has to have them. */
function folderCheck(folder: string, wanted: readonly KnownObject[]): Check {
  const isClone = existsSync(join(folder, '.git'));
  const objects = join(folder, isClone ? '.git/lfs/objects' : 'lfs/objects');
  const missing = wanted.filter(
    ({ oid }) => !existsSync(join(objects, oid.slice(0, 2), oid.slice(2, 4), oid)),
  );
  if (missing.length === 0) return ok('lfs', `the folder has ${all(wanted)}`);
  if (isClone) return skip('lfs', 'this clone leaves weights out, as it should');
  return fail('lfs', `${folder} lacks the object of ${first(missing)}`, PUSH);
}

const PUSH = 'Push it from a clone that has it: git lfs push --all origin';

/** `models/…/model.onnx`, or how many there are. */
function all(objects: readonly KnownObject[]): string {
  return objects.length === 1 ? (objects[0]?.path ?? '') : `all ${objects.length} objects that are wanted`;
}

function first([object, ...others]: readonly KnownObject[]): string {
  return `${object?.path}${others.length > 0 ? ` (and ${others.length} more)` : ''}`;
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
  wanted: readonly KnownObject[],
  { authorization, signal, fetch = globalThis.fetch }: LfsRequest,
): Promise<{ status: number; text: string }> {
  const header = await authorization(url);
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: MEDIA, 'content-type': MEDIA, ...(header === null ? {} : { authorization: header }) },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      objects: wanted.map(({ oid, size }) => ({ oid, size })),
    }),
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
  wanted: readonly KnownObject[],
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
  const told = Answer.safeParse(parse(text)).data?.objects ?? [];
  const known = wanted.map(object => ({ object, answer: told.find(({ oid }) => oid === object.oid) }));
  if (known.every(({ answer }) => answer === undefined))
    return fail('lfs', 'what answers there does not speak the LFS batch API', 'Name the endpoint by --lfs.');
  const missing = known.filter(({ answer }) => !answer || answer.error || !answer.actions?.download);
  if (missing.length === 0) return ok('lfs', `gives ${all(wanted)}`);
  const reason = missing[0]?.answer?.error?.message?.slice(0, 200) ?? 'it names no download';
  const objects = missing.map(({ object }) => object);
  return fail('lfs', `the LFS server does not give ${first(objects)}: ${reason}`, PUSH);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
