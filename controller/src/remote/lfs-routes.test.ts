import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RemoteServer, remoteServer } from './server.ts';
import { type Folder, temporaryFolder } from './world.fixture.ts';

const CONTENT = Buffer.from('weights of a model, in bytes');
const OID = sha256(CONTENT);
const LFS_JSON = 'application/vnd.git-lfs+json';

interface World extends AsyncDisposable {
  folder: Folder;
  server: RemoteServer;
  lfs: string;
}

async function world(): Promise<World> {
  const folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', 'models.git']);
  const server = await remoteServer({ directory: folder.path });
  return {
    folder,
    server,
    lfs: `${server.url('models')}/info/lfs`,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function put(lfs: string, oid: string, body: Buffer): Promise<Response> {
  return fetch(`${lfs}/objects/${oid}`, { method: 'PUT', body });
}

function ask(lfs: string, body: unknown, path = 'objects/batch'): Promise<Response> {
  return fetch(`${lfs}/${path}`, {
    method: 'POST',
    headers: { 'content-type': LFS_JSON },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

interface Answered {
  oid: string;
  actions?: Record<string, { href: string }>;
}

async function askOne(lfs: string, body: unknown): Promise<Answered> {
  const { objects } = (await (await ask(lfs, body)).json()) as { objects: [Answered] };
  return objects[0];
}

const batch = (operation: string, oid = OID, size = CONTENT.length) => ({
  operation,
  objects: [{ oid, size }],
});

async function leftovers({ path }: Folder): Promise<string[]> {
  return readdir(join(path, 'models.git/lfs/tmp')).catch(() => []);
}

describe('the LFS side of remoteServer', () => {
  it('keeps an upload and gives it back, whole and in part', async () => {
    await using it = await world();
    const upload = await askOne(it.lfs, batch('upload'));
    expect(
      (await fetch(upload.actions?.['upload']?.href ?? '', { method: 'PUT', body: CONTENT })).status,
    ).toBe(200);
    expect((await ask(it.lfs, { oid: OID, size: CONTENT.length }, 'objects/verify')).status).toBe(200);

    const down = (await askOne(it.lfs, batch('download'))).actions?.['download']?.href ?? '';
    const whole = await fetch(down);
    const part = await fetch(down, { headers: { range: 'bytes=8-' } });
    const middle = await fetch(down, { headers: { range: 'bytes=8-9' } });
    const outside = await fetch(down, { headers: { range: 'bytes=900-' } });

    expect(await whole.text()).toBe(CONTENT.toString());
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 8-${CONTENT.length - 1}/${CONTENT.length}`);
    expect(await part.text()).toBe(CONTENT.subarray(8).toString());
    expect(await middle.text()).toBe(CONTENT.subarray(8, 10).toString());
    expect(outside.status).toBe(416);
    expect(
      existsSync(join(it.folder.path, 'models.git/lfs/objects', OID.slice(0, 2), OID.slice(2, 4), OID)),
    ).toBe(true);
  });

  it('names no upload for what it has, and no download for what it has not', async () => {
    await using it = await world();
    const before = await askOne(it.lfs, batch('download'));
    await put(it.lfs, OID, CONTENT);
    const after = await askOne(it.lfs, batch('upload'));
    const otherSize = await askOne(it.lfs, batch('download', OID, 7));

    expect(before).toMatchObject({ error: { code: 404 } });
    expect(after).toMatchObject({ oid: OID });
    expect(after).not.toHaveProperty('actions');
    expect(otherSize).toMatchObject({ error: { code: 404 } });
  });

  it('refuses bytes under the digest of others and keeps none of them', async () => {
    await using it = await world();

    const response = await put(it.lfs, sha256(Buffer.from('others')), CONTENT);

    expect(response.status).toBe(422);
    expect(await leftovers(it.folder)).toEqual([]);
    expect((await fetch(`${it.lfs}/objects/${OID}`)).status).toBe(404);
  });

  it('keeps nothing of an upload that is cut off', async () => {
    await using it = await world();
    const { address, port } = it.server.address;
    const socket = connect(port, address);
    const path = `${new URL(it.lfs).pathname}/objects/${OID}`;
    socket.write(`PUT ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 28\r\n\r\nweights`);
    await until(async () => (await leftovers(it.folder)).length === 1);

    socket.destroy();

    await until(async () => (await leftovers(it.folder)).length === 0);
    expect((await fetch(`${it.lfs}/objects/${OID}`)).status).toBe(404);
  });

  it.each([
    [
      'an upload without a length',
      { method: 'PUT', body: ReadableStream.from([CONTENT]), duplex: 'half' },
      411,
    ],
    ['a deletion', { method: 'DELETE' }, 405],
  ])('refuses %s', async (_, init, status) => {
    await using it = await world();

    expect((await fetch(`${it.lfs}/objects/${OID}`, init as RequestInit)).status).toBe(status);
  });

  it.each([
    ['no JSON', 'what?', 422],
    ['no objects', { operation: 'download', objects: [] }, 422],
    ['another hash', { ...batch('download'), hash_algo: 'sha512' }, 422],
    ['another operation', batch('delete'), 422],
    ['a path for an oid', batch('download', '../../config'), 422],
    ['a size below zero', batch('download', OID, -1), 422],
    ['too much', 'x'.repeat(2 * 2 ** 20), 413],
  ])('refuses a batch request with %s', async (_, body, status) => {
    await using it = await world();

    expect((await ask(it.lfs, body)).status).toBe(status);
  });

  it('refuses what a page in a browser could send unasked', async () => {
    await using it = await world();

    const response = await fetch(`${it.lfs}/objects/batch`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: JSON.stringify(batch('upload')),
    });

    expect(response.status).toBe(415);
  });

  it('answers 404 for a repository that is not there, in the words that git-lfs shows', async () => {
    await using it = await world();

    const response = await ask(it.lfs.replace('models', 'other'), batch('download'));

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe(LFS_JSON);
    expect(await response.json()).toEqual({ message: 'There is no repository other here.' });
  });

  it.each([
    ['a list of locks', 'GET', 'locks', 200],
    ['a new lock', 'POST', 'locks', 501],
    ['whether a push meets a lock', 'POST', 'locks/verify', 501],
    ['the end of a lock', 'POST', 'locks/7/unlock', 501],
    ['another question about locks', 'POST', 'locks/7', 404],
  ])('answers %s', async (_, method, path, status) => {
    await using it = await world();

    const response = await fetch(`${it.lfs}/${path}`, { method });

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(status === 200 ? { locks: [] } : { message: expect.any(String) });
  });

  it('names addresses by the host under which it was reached', async () => {
    await using it = await world();
    await put(it.lfs, OID, CONTENT);
    const { port } = it.server.address;

    const { actions } = await askOne(it.lfs.replace('127.0.0.1', 'localhost'), batch('download'));

    expect(actions?.['download']?.href).toBe(`http://localhost:${port}/models.git/info/lfs/objects/${OID}`);
  });

  it('removes what a killed server left of uploads, and nothing of others', async () => {
    await using folder = await temporaryFolder();
    await folder.git(['init', '--quiet', '--bare', 'models.git']);
    const incoming = join(folder.path, 'models.git/lfs/tmp');
    await mkdir(incoming, { recursive: true });
    const names = ['old', 'new'].map((_, at) => `${OID}-${randomUUID().replace(/^./, String(at))}`);
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of [...names, 'somebody-elses']) {
      await writeFile(join(incoming, name), 'half');
      if (name !== names[1]) await utimes(join(incoming, name), hourAgo, hourAgo);
    }

    await using _server = await remoteServer({ directory: folder.path });

    expect((await readdir(incoming)).sort()).toEqual([names[1], 'somebody-elses']);
  });
});

/** Looks again until it is so, within the test's own bound. */
async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look()));
}
