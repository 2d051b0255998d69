import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectOf } from './artifact.contract.ts';
import { lfsClient } from './client.ts';
import {
  bytes,
  endless,
  json,
  named,
  type Script,
  scriptedServer,
  status,
} from './scripted-server.fixture.ts';
import { heldClock, type StoreWorld, storeWorld } from './store.fixture.ts';

const WEIGHTS = randomBytes(3_000_000);
const OBJECT = objectOf(WEIGHTS);
const SERVING = Buffer.from('weights of the version that serves');
const signal = new AbortController().signal;

interface World extends StoreWorld {
  /** Paths that the server was asked for. */
  asked(): string[];
}

/** A store that has what serves, over a hostile server. */
async function over(script: Script): Promise<World> {
  const server = await scriptedServer(script);
  const client = lfsClient({ url: server.url, clock: heldClock(), authorization: 'Basic c2VjcmV0' });
  const it = await storeWorld({
    source: {
      download: (object, write, until, beginning) =>
        object.sizeBytes === SERVING.length
          ? write(SERVING)
          : client.download(object, write, until, beginning),
    },
  });
  await it.store.ensure(objectOf(SERVING), signal);
  const close = it[Symbol.asyncDispose].bind(it);
  return Object.assign(it, {
    asked: () => server.heard.map(({ path }) => path.split('/').at(-1) ?? ''),
    [Symbol.asyncDispose]: async () => {
      await close();
      await server[Symbol.asyncDispose]();
    },
  });
}

/** Whatever the server does: an error that names what went wrong, nothing half, and what serves stays. */
async function refused(it: World, object = OBJECT): Promise<{ code: string; message: string }> {
  const error = await it.store.ensure(object, signal).then(
    () => ({ code: 'none', message: '' }),
    caught => caught,
  );
  expect(await it.store.has(object.digest)).toBe(false);
  expect(await it.names('objects')).toEqual([objectOf(SERVING).digest]);
  expect(await readFile(await it.store.ensure(objectOf(SERVING), signal))).toEqual(SERVING);
  expect(error.message).not.toContain('c2VjcmV0');
  return error;
}

describe('a hostile LFS server', () => {
  it.each([404, 410, 403])(
    'that answers %i for an object keeps it waiting, by its digest, and no other',
    async code => {
      const gone = json({
        objects: [{ oid: OBJECT.digest, size: OBJECT.sizeBytes, error: { code, message: 'no' } }],
      });
      await using it = await over({ batch: [gone, named()], object: [bytes(WEIGHTS)] });

      const error = await refused(it);

      expect(error).toMatchObject({ code: 'E_LFS_OBJECT', message: expect.stringContaining(OBJECT.digest) });
      expect(await it.names('incoming')).toEqual([]);
      expect((await readFile(await it.store.ensure(OBJECT, signal))).equals(WEIGHTS)).toBe(true);
    },
  );

  it('that sends other bytes of the right size has them set aside', async () => {
    const other = Buffer.from(WEIGHTS).fill('x', 2_000_000, 2_000_001);
    await using it = await over({ object: [bytes(other)] });

    expect(await refused(it)).toMatchObject({ code: 'E_LFS_DIGEST' });

    expect((await readFile(join(it.directory, 'quarantine', OBJECT.digest))).equals(other)).toBe(true);
    expect(await it.names('incoming')).toEqual([]);
  });

  it('that has the object in another size than the pointer says is not asked for it', async () => {
    const sized = json({
      objects: [{ oid: OBJECT.digest, size: 7, actions: { download: { href: '/object' } } }],
    });
    await using it = await over({ batch: [sized] });

    const error = await refused(it);

    expect(error.message).toContain('7 bytes');
    expect(it.asked()).toEqual(['batch']);
  });

  it('that never stops sending is cut off where the object ends', async () => {
    await using it = await over({ object: [endless] });

    expect(await refused(it)).toMatchObject({
      code: 'E_LFS_OBJECT',
      message: expect.stringContaining('cut off'),
    });
    expect(await it.names('incoming')).toEqual([]);
    expect(await it.names('quarantine')).toEqual([]);
  });

  it('that cuts the line at 99 % shows nobody a half file, and is asked for the last percent alone', async () => {
    const at = 2_970_000;
    const cut = (response: Parameters<typeof endless>[0]): void => {
      response.setHeader('content-length', WEIGHTS.length);
      response.write(WEIGHTS.subarray(0, at), () => response.destroy());
    };
    const away = status(503, { 'retry-after': '3600' });
    const rest = bytes(WEIGHTS.subarray(at), { 'content-range': `bytes ${at}-2999999/3000000` }, 206);
    await using it = await over({ batch: [named(), away, named()], object: [cut, rest] });

    expect(await refused(it)).toMatchObject({ code: 'E_LFS_UNREACHABLE' });
    expect(await it.names('incoming')).toHaveLength(1);
    await it.reopen();

    expect((await readFile(await it.store.ensure(OBJECT, signal))).equals(WEIGHTS)).toBe(true);
    expect(await it.names('incoming')).toEqual([]);
  });

  it.each([
    ['a file', 'file:///etc/passwd'],
    ['a command', 'ext::sh -c true'],
    ['another host', 'https://evil.example/object'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data'],
    ['another port of this machine', 'http://127.0.0.1:1/object'],
    ['a page of data', 'data:text/plain,weights'],
  ])('that sends the client to %s is not followed', async (_, href) => {
    await using byAnswer = await over({ batch: [named({ href })] });
    await using byRedirect = await over({ object: [status(302, { location: href })] });

    expect((await refused(byAnswer)).message).toContain('not followed');
    expect((await refused(byRedirect)).message).toContain('not followed');
    expect(byAnswer.asked()).toEqual(['batch']);
    expect(byRedirect.asked()).toEqual(['batch', 'object']);
  });

  it('is not asked at all for 10 TB', async () => {
    await using it = await over({});

    expect(await refused(it, { ...OBJECT, sizeBytes: 10e12 })).toMatchObject({
      code: 'E_LFS_OBJECT',
      message: expect.stringContaining('10000000000000 bytes'),
    });
    expect(it.asked()).toEqual([]);
  });
});
