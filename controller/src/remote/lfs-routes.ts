import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { z } from 'zod';
import { objectsOf } from '../repository/lfs/local-directory.ts';
import type { ObjectFolder } from '../repository/lfs/object-folder.ts';
import type { LfsObject } from '../repository/repository.ts';
import { answerJson, LFS_JSON, Refusal } from './answer.ts';
import { receiveObject, sendObject } from './lfs-objects.ts';
import type { LfsRoute } from './route.ts';

const BODY_LIMIT = 1024 * 1024;

const NO_LOCKS = 'This remote keeps no locks: versions are only ever added, so there is nothing to lock.';

const WireObject = z.object({ oid: ArtifactDigest, size: z.int().nonnegative() });
const BatchRequest = z.object({
  operation: z.enum(['download', 'upload']),
  hash_algo: z.literal('sha256').optional(),
  objects: z.array(WireObject).min(1).max(1000),
});

export interface LfsPlace {
  /** The bare repository. */
  repository: string;
  /** Where its LFS stands to the outside, without a slash at the end. */
  base: string;
}

/** The LFS server API, `basic` transfers: batch, upload, download, verify; and that locks are not kept. */
export async function lfsRoutes(
  { repository, base }: LfsPlace,
  route: LfsRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!existsSync(join(repository, 'HEAD')))
    throw new Refusal(404, `There is no repository ${route.name} here.`);
  const folder = objectsOf(repository);
  switch (route.what) {
    case 'batch':
      return answerJson(response, 200, await batch({ folder, base }, await readJson(request, BatchRequest)));
    case 'verify':
      return answerJson(response, 200, await verify(folder, await readJson(request, WireObject)));
    case 'locks':
      if (request.method === 'POST') throw new Refusal(501, NO_LOCKS);
      return answerJson(response, 200, { locks: [] });
    // At 501 git-lfs notes for itself not to ask again; at an empty list it would advise to switch locks on.
    case 'locks-verify':
    case 'unlock':
      throw new Refusal(501, NO_LOCKS);
    case 'object':
      if (request.method === 'PUT') return receiveObject(folder, route.digest, request, response);
      return sendObject(folder, route.digest, request, response);
  }
}

async function batch(
  { folder, base }: { folder: ObjectFolder; base: string },
  { operation, objects }: z.infer<typeof BatchRequest>,
): Promise<unknown> {
  const answers = objects.map(async ({ oid, size }) => {
    const isHere = await has(folder, { digest: oid, sizeBytes: size });
    const known = { oid, size, authenticated: true };
    const href = `${base}/objects/${oid}`;
    if (operation === 'download')
      return isHere
        ? { ...known, actions: { download: { href } } }
        : { oid, size, error: { code: 404, message: 'The object is not here.' } };
    if (isHere) return known;
    return { ...known, actions: { upload: { href }, verify: { href: `${base}/objects/verify` } } };
  });
  return { transfer: 'basic', hash_algo: 'sha256', objects: await Promise.all(answers) };
}

async function verify(folder: ObjectFolder, { oid, size }: z.infer<typeof WireObject>): Promise<unknown> {
  if (await has(folder, { digest: oid, sizeBytes: size })) return {};
  throw new Refusal(404, 'The object is not here in this size.');
}

async function has(folder: ObjectFolder, object: LfsObject): Promise<boolean> {
  const found = await folder.open(object.digest);
  await found?.handle.close();
  return found?.sizeBytes === object.sizeBytes;
}

/** Only under LFS's own media type, which no page in a browser can send here unasked. */
async function readJson<Body>(request: IncomingMessage, schema: z.ZodType<Body>): Promise<Body> {
  if (!(request.headers['content-type'] ?? '').startsWith(LFS_JSON))
    throw new Refusal(415, `Send ${LFS_JSON}.`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Refusal(413, `The body is larger than ${BODY_LIMIT} bytes.`);
    chunks.push(chunk);
  }
  const body = schema.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')));
  if (body.success) return body.data;
  throw new Refusal(422, 'The body is not what the LFS batch API asks for.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
