import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../clock.ts';
import { remoteServer } from '../../remote/server.ts';
import { temporaryFolder } from '../../remote/world.fixture.ts';
import type { ArtifactSink, ArtifactSource, LfsObject } from '../repository.ts';
import {
  type ArtifactWorld,
  artifactSinkContract,
  artifactSourceContract,
  downloadAll,
  objectOf,
} from './artifact.contract.ts';
import { type LfsClientSettings, lfsClient } from './client.ts';
import {
  bytes,
  endless,
  json,
  named,
  partly,
  type Script,
  scriptedServer,
  status,
} from './scripted-server.fixture.ts';

async function overRemoteServer(): Promise<ArtifactWorld<ArtifactSource & ArtifactSink>> {
  const folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', 'models.git']);
  const server = await remoteServer({ directory: folder.path });
  const url = `${server.url('models')}/info/lfs`;
  return {
    port: lfsClient({ url }),
    put: async content => {
      const { digest } = objectOf(content);
      const response = await fetch(`${url}/objects/${digest}`, {
        method: 'PUT',
        body: new Uint8Array(content),
      });
      if (!response.ok) throw new Error(`the server said ${response.status}`);
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

artifactSourceContract('lfsClient over remoteServer', overRemoteServer);
artifactSinkContract('lfsClient over remoteServer', overRemoteServer);

const WEIGHTS = 'weights of a model';
const OBJECT = objectOf(Buffer.from(WEIGHTS));
const AUTHORIZATION = 'Basic c2VjcmV0LXRva2Vu';
const never = new AbortController().signal;

/** Waits are noted and over at once. */
function patientClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    sleep: async ms => {
      waits.push(ms);
    },
  };
}

interface Tried {
  result: string;
  code: string | undefined;
  message: string;
  waits: number[];
  paths: string[];
  heard: Awaited<ReturnType<typeof scriptedServer>>['heard'];
}

/** One download from a server with a script. */
async function tryDownload(
  script: Script,
  settings: Partial<LfsClientSettings> = {},
  object: LfsObject = OBJECT,
): Promise<Tried> {
  await using server = await scriptedServer(script);
  const clock = patientClock();
  const client = lfsClient({ url: server.url, clock, authorization: AUTHORIZATION, ...settings });
  const outcome = await downloadAll(client, object).then(
    result => ({ result: result.toString(), code: undefined, message: '' }),
    error => ({ result: '', code: error.code, message: String(error.message) }),
  );
  return { ...outcome, waits: clock.waits, heard: server.heard, paths: server.heard.map(call => call.path) };
}

describe('lfsClient', () => {
  it('goes on behind what came before the line was cut', async () => {
    const rest = bytes(WEIGHTS.slice(8), { 'content-range': 'bytes 8-17/18' }, 206);

    const tried = await tryDownload({ object: [partly('weights ', 'cut', OBJECT), rest] });

    expect(tried.heard.at(-1)?.headers.range).toBe('bytes=8-');
    expect(tried).toMatchObject({ result: WEIGHTS, waits: [500] });
  });

  it('passes by what it has when a server knows no ranges', async () => {
    const tried = await tryDownload({ object: [partly('weights ', 'cut', OBJECT), bytes(WEIGHTS)] });

    expect(tried.result).toBe(WEIGHTS);
  });

  it('refuses a range that it did not ask for', async () => {
    const wrong = bytes(WEIGHTS, { 'content-range': 'bytes 0-17/18' }, 206);

    expect(await tryDownload({ object: [partly('weights ', 'cut', OBJECT), wrong] })).toMatchObject({
      code: 'E_LFS_OBJECT',
      message: expect.stringContaining('another range'),
    });
  });

  it('gives up a body that always ends early, after a bounded number of attempts', async () => {
    const tried = await tryDownload({ object: [bytes('weights')] });

    expect(tried).toMatchObject({ code: 'E_LFS_UNREACHABLE', waits: [500, 1000, 2000] });
    expect(tried.message).toContain('7 of the 18 bytes');
  });

  it('cuts off more bytes than declared and hands none of the surplus on', async () => {
    await using server = await scriptedServer({ object: [bytes(`${WEIGHTS}!`)] });
    let written = 0;

    const download = lfsClient({ url: server.url }).download(
      OBJECT,
      async chunk => {
        written += chunk.length;
      },
      never,
    );

    await expect(download).rejects.toMatchObject({ code: 'E_LFS_OBJECT' });
    expect(written).toBeLessThanOrEqual(OBJECT.sizeBytes);
  });

  it.each([
    ['seconds', '7', 7_000],
    ['a date', 'Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['nothing', undefined, 500],
    ['nonsense', 'soon', 500],
  ])('comes back to a busy server as late as it asks with %s', async (_, header, waitMs) => {
    const busy = status(429, header === undefined ? {} : { 'retry-after': header });

    expect(await tryDownload({ batch: [busy, named()], object: [bytes(WEIGHTS)] })).toMatchObject({
      result: WEIGHTS,
      waits: [waitMs],
    });
  });

  it('does not wait for a server that asks for an hour', async () => {
    expect(await tryDownload({ batch: [status(503, { 'retry-after': '3600' })] })).toMatchObject({
      code: 'E_LFS_UNREACHABLE',
      waits: [],
    });
  });

  it('asks for a new address when the object’s own server was busy', async () => {
    const tried = await tryDownload({ object: [status(500), status(502), bytes(WEIGHTS)] });

    expect(tried.result).toBe(WEIGHTS);
    expect(tried.paths.filter(path => path.endsWith('/batch'))).toHaveLength(3);
  });

  it('tries a server that is always busy four times', async () => {
    const tried = await tryDownload({ batch: [status(503)] });

    expect(tried).toMatchObject({ code: 'E_LFS_UNREACHABLE', waits: [500, 1000, 2000] });
    expect(tried.paths).toHaveLength(4);
  });

  it('says that nobody answers where nobody listens', async () => {
    const server = await scriptedServer({});
    await server[Symbol.asyncDispose]();
    const clock = patientClock();

    const download = downloadAll(lfsClient({ url: server.url, clock }), OBJECT);

    await expect(download).rejects.toMatchObject({
      code: 'E_LFS_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(clock.waits).toHaveLength(3);
  });

  it.each([
    ['does not accept our credentials', 401, 'E_LFS_UNREACHABLE', /credentials/],
    ['forbids it', 403, 'E_LFS_UNREACHABLE', /credentials/],
    ['has no LFS there', 404, 'E_LFS_UNREACHABLE', /address/],
    ['redirects', 307, 'E_LFS_UNREACHABLE', /redirects/],
  ])('says so when the batch API %s, without the token', async (_, answer, code, words) => {
    const tried = await tryDownload({ batch: [status(answer, { location: '/elsewhere' })] });

    expect(tried).toMatchObject({ code, message: expect.stringMatching(words), waits: [] });
    expect(tried.message).not.toContain('c2VjcmV0LXRva2Vu');
    expect(tried.paths).toHaveLength(1);
  });

  it.each([404, 410, 403])('says E_LFS_OBJECT for an object that is answered with %i', async code => {
    expect(await tryDownload({ object: [status(code)] })).toMatchObject({ code: 'E_LFS_OBJECT', waits: [] });
  });

  it('repeats the server’s words about an object, made fit to be shown', async () => {
    const error = { code: 404, message: `gone \u001b[31mforever\n${AUTHORIZATION.slice(6)}` };

    const tried = await tryDownload({
      batch: [json({ objects: [{ oid: OBJECT.digest, size: OBJECT.sizeBytes, error }] })],
    });

    expect(tried.code).toBe('E_LFS_OBJECT');
    expect(tried.message).toContain('(404: gone forever; [secret])');
  });

  const known = { oid: OBJECT.digest, size: OBJECT.sizeBytes };
  const ready = { ...known, actions: { download: { href: '/object' } } };
  it.each([
    ['no JSON', bytes('<html>')],
    ['another shape', json({ message: 'hello' })],
    ['another object', json({ objects: [{ ...ready, oid: 'b'.repeat(64) }] })],
    ['another size', json({ objects: [{ ...ready, size: 1e13 }] })],
    ['another transfer', json({ transfer: 'tus', objects: [ready] })],
    ['another hash', json({ hash_algo: 'sha512', objects: [ready] })],
    ['no address', json({ objects: [known] })],
    ['an address that is none', named({ href: 'http://' })],
    ['a file', named({ href: 'file:///etc/passwd' })],
    ['a command', named({ href: 'ext::sh -c true' })],
    ['a header with a line end', named({ header: { authorization: 'a\r\nhost: b' } })],
    ['a header without a name', named({ header: { '': 'x' } })],
    ['no end', endless],
  ])('refuses a batch answer with %s and asks for nothing else', async (_, answer) => {
    const tried = await tryDownload({ batch: [answer] });

    expect(tried).toMatchObject({ code: 'E_LFS_OBJECT', waits: [] });
    expect(tried.paths).toHaveLength(1);
  });

  it('takes an address beside its own', async () => {
    expect(
      await tryDownload({ batch: [json({ objects: [ready] })], object: [bytes(WEIGHTS)] }),
    ).toMatchObject({ result: WEIGHTS });
  });

  it('never talks to another host that the server names', async () => {
    await using other = await scriptedServer({ object: [bytes(WEIGHTS)] });

    const tried = await tryDownload({ batch: [named({ href: `${other.origin}/object` })] });

    expect(tried).toMatchObject({
      code: 'E_LFS_OBJECT',
      message: expect.stringContaining('allow this host'),
    });
    expect(other.heard).toEqual([]);
  });

  it('talks to another host that the operator allowed, without our credentials', async () => {
    await using other = await scriptedServer({ object: [bytes(WEIGHTS)] });
    const header = { 'X-Signature': 'abc' };

    const tried = await tryDownload(
      { batch: [named({ href: `${other.origin}/object`, header })] },
      { allowedHosts: [new URL(other.origin).host] },
    );

    expect(tried.result).toBe(WEIGHTS);
    expect(other.heard[0]?.headers).toMatchObject({ 'x-signature': 'abc' });
    expect(other.heard[0]?.headers.authorization).toBeUndefined();
  });

  it('sends our credentials to our own server, and its own where it gave some', async () => {
    const plain = await tryDownload({ object: [bytes(WEIGHTS)] });
    const given = await tryDownload({
      batch: [named({ header: { Authorization: 'RemoteAuth one' } })],
      object: [bytes(WEIGHTS)],
    });

    expect(plain.heard.map(call => call.headers.authorization)).toEqual([AUTHORIZATION, AUTHORIZATION]);
    expect(given.heard.map(call => call.headers.authorization)).toEqual([AUTHORIZATION, 'RemoteAuth one']);
  });

  it('follows a redirect of an object to an allowed host, with no header of the first', async () => {
    await using other = await scriptedServer({ object: [bytes(WEIGHTS)] });

    const tried = await tryDownload(
      {
        batch: [named({ header: { authorization: 'RemoteAuth one', 'x-token': 'two' } })],
        object: [status(302, { location: `${other.origin}/elsewhere` })],
      },
      { allowedHosts: [new URL(other.origin).host] },
    );

    expect(tried.result).toBe(WEIGHTS);
    expect(other.heard[0]?.headers.authorization).toBeUndefined();
    expect(other.heard[0]?.headers['x-token']).toBeUndefined();
  });

  it('follows no redirect to a host that nobody allowed', async () => {
    await using other = await scriptedServer({ object: [bytes(WEIGHTS)] });

    const tried = await tryDownload({ object: [status(302, { location: `${other.origin}/elsewhere` })] });

    expect(tried.code).toBe('E_LFS_OBJECT');
    expect(other.heard).toEqual([]);
  });

  it('follows a chain of redirects only so far', async () => {
    const tried = await tryDownload({ object: [status(302, { location: '/again' })] });

    expect(tried.code).toBe('E_LFS_UNREACHABLE');
    expect(tried.paths).toHaveLength(5);
  });

  it.each([
    ['the batch API', { batch: [() => {}] }],
    ['the object', { object: [() => {}] }],
    ['the middle of the object', { object: [partly('weights ', 'silence', OBJECT)] }],
  ])('gives up when nothing more comes from %s', async (_, script) => {
    expect(await tryDownload(script, { stall: { silenceMs: 50 } })).toMatchObject({
      code: 'E_LFS_UNREACHABLE',
      message: expect.stringContaining('stalls'),
    });
  });

  it('ends at once when its caller does not wait any longer', async () => {
    await using server = await scriptedServer({ object: [partly('weights ', 'silence', OBJECT)] });
    const controller = new AbortController();
    const reason = new Error('enough');

    const download = lfsClient({ url: server.url }).download(
      OBJECT,
      async () => controller.abort(reason),
      controller.signal,
    );

    await expect(download).rejects.toBe(reason);
  });

  it('sends an upload with its length and has it verified', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'model.onnx');
    await writeFile(file, WEIGHTS);
    await using server = await scriptedServer({
      batch: [
        (response, { headers }) => {
          const href = (path: string): string => `http://${headers.host}/${path}`;
          const actions = {
            upload: { href: href('upload'), header: { 'X-Put': 'yes', 'Transfer-Encoding': 'chunked' } },
            verify: { href: href('verify'), header: { 'X-Verify': 'yes' } },
          };
          json({ objects: [{ ...known, actions }] })(response);
        },
      ],
      object: [status(500), status(200)],
    });
    const clock = patientClock();

    await lfsClient({ url: server.url, clock }).upload([{ ...OBJECT, file }], never);

    const [, refused, , put, verify] = server.heard;
    expect(refused).toMatchObject({ method: 'PUT', path: '/upload' });
    expect(put).toMatchObject({ method: 'PUT', path: '/upload', body: WEIGHTS });
    expect(put?.headers).toMatchObject({ 'content-length': '18', 'x-put': 'yes' });
    expect(put?.headers['transfer-encoding']).toBeUndefined();
    expect(verify).toMatchObject({ method: 'POST', path: '/verify', body: JSON.stringify(known) });
    expect(verify?.headers).toMatchObject({
      'x-verify': 'yes',
      'content-type': 'application/vnd.git-lfs+json',
    });
  });

  it('sends nothing of a file that has another size by now', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'model.onnx');
    await writeFile(file, `${WEIGHTS}, changed`);
    await using server = await scriptedServer({ object: [status(200)] });

    const upload = lfsClient({ url: server.url }).upload([{ ...OBJECT, file }], never);

    await expect(upload).rejects.toMatchObject({ code: 'E_LFS_DIGEST' });
    expect(server.heard.map(call => call.method)).toEqual(['POST']);
  });

  it('gives up an upload that nobody takes', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'model.onnx');
    await writeFile(file, WEIGHTS);
    await using server = await scriptedServer({ object: [() => {}] });
    const client = lfsClient({ url: server.url, clock: patientClock(), stall: { silenceMs: 50 } });

    await expect(client.upload([{ ...OBJECT, file }], never)).rejects.toMatchObject({
      code: 'E_LFS_UNREACHABLE',
    });
  });
});
