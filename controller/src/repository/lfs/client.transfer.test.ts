import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../clock.ts';
import { temporaryFolder } from '../../remote/world.fixture.ts';
import type { LfsObject } from '../repository.ts';
import { objectOf } from './artifact.contract.ts';
import { lfsClient } from './client.ts';
import {
  bytes,
  json,
  named,
  partly,
  type Script,
  scriptedServer,
  status,
} from './scripted-server.fixture.ts';
import type { TransferProgress } from './transfer-progress.ts';

const WEIGHTS = 'weights of a model';
const OBJECT = objectOf(Buffer.from(WEIGHTS));
const never = new AbortController().signal;

/** Waits are over at once, and time goes on by them. */
function quickClock(): Clock {
  let now = Date.parse('2026-01-01T00:00:00Z');
  return {
    now: () => now,
    sleep: async ms => {
      now += ms;
    },
  };
}

interface Tried {
  text: string;
  code: string | undefined;
  message: string;
  paths: string[];
  ranges: (string | undefined)[];
}

async function tryDownload(script: Script, { beginning = 0, stall = {} } = {}): Promise<Tried> {
  await using server = await scriptedServer(script);
  const client = lfsClient({ url: server.url, clock: quickClock(), stall });
  const chunks: Uint8Array[] = [];
  const outcome = await client
    .download(
      OBJECT,
      async chunk => void chunks.push(Buffer.from(chunk)),
      never,
      beginning === 0 ? undefined : { bytes: beginning, leaveOut: () => {} },
    )
    .then(
      () => ({ code: undefined, message: '' }),
      error => ({ code: error.code, message: String(error.message) }),
    );
  return {
    ...outcome,
    text: Buffer.concat(chunks).toString(),
    paths: server.heard.map(({ path }) => path.split('/').at(-1) ?? ''),
    ranges: server.heard.map(({ headers }) => headers.range),
  };
}

describe('lfsClient, asked about many objects at once', () => {
  it('asks about a hundred in one question and moves four at a time', async () => {
    const contents = Array.from({ length: 252 }, (_, at) => Buffer.from(`object ${at}`));
    const byDigest = new Map(contents.map(content => [objectOf(content).digest as string, content]));
    const asked: number[] = [];
    const held: (() => void)[] = [];
    let most = 0;
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.url?.endsWith('/batch')) {
        const { objects } = JSON.parse(Buffer.concat(chunks).toString()) as {
          objects: { oid: string; size: number }[];
        };
        asked.push(objects.length);
        const answers = objects.map(({ oid, size }) => ({
          oid,
          size,
          actions: { download: { href: `/${oid}` } },
        }));
        response.end(JSON.stringify({ objects: answers }));
        return;
      }
      most = Math.max(
        most,
        held.push(() => response.end(byDigest.get(request.url?.slice(1) ?? ''))),
      );
      // Four have come when four may; a fifth would be counted before these are answered.
      if (held.length >= 4) setTimeout(() => held.splice(0).forEach(answer => void answer()), 2);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const client = lfsClient({ url: `http://127.0.0.1:${port}/info/lfs` });

      const got = await Promise.all(
        contents.map(async content => {
          let text = '';
          await client.download(
            objectOf(content),
            async chunk => {
              text += Buffer.from(chunk).toString();
            },
            never,
          );
          return text;
        }),
      );

      expect(got).toEqual(contents.map(String));
      expect(asked).toEqual([100, 100, 52]);
      expect(most).toBe(4);
    } finally {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  });

  it('does not let one that is refused, left out or malformed keep the others', async () => {
    const [good, refused, leftOut, elsewhere] = ['good', 'refused', 'left out', 'elsewhere'].map(text =>
      objectOf(Buffer.from(text)),
    ) as [LfsObject, LfsObject, LfsObject, LfsObject];
    const of = ({ digest, sizeBytes }: LfsObject) => ({ oid: digest, size: sizeBytes });
    await using server = await scriptedServer({
      batch: [
        json({
          objects: [
            { ...of(refused), error: { code: 410, message: 'gone' } },
            { ...of(elsewhere), actions: { download: { href: 'http://10.0.0.1/object' } } },
            { ...of(good), actions: { download: { href: '/object' } } },
          ],
        }),
      ],
      object: [bytes('good')],
    });
    const client = lfsClient({ url: server.url, clock: quickClock() });

    const outcomes = await Promise.allSettled(
      [good, refused, leftOut, elsewhere].map(object => client.download(object, async () => {}, never)),
    );

    expect(
      outcomes.map(outcome => (outcome.status === 'fulfilled' ? 'here' : outcome.reason.message)),
    ).toEqual([
      'here',
      expect.stringContaining('(410: gone)'),
      expect.stringContaining('does not answer as'),
      expect.stringContaining('is not followed'),
    ]);
    expect(server.heard.filter(({ path }) => path.endsWith('/batch'))).toHaveLength(1);
  });
});

describe('an address that lasts only so long', () => {
  const known = { oid: OBJECT.digest, size: OBJECT.sizeBytes };
  const lasting = (more: object) =>
    json({ objects: [{ ...known, actions: { download: { href: '/object', ...more } } }] });

  it.each<[string, object, number]>([
    ['has a second left', { expires_in: 1 }, 2],
    ['has ended before it came', { expires_in: -5 }, 2],
    ['has ended by the clock', { expires_at: '2025-12-31T23:59:59Z' }, 2],
    ['has an hour left', { expires_in: 3600, expires_at: '2025-12-31T23:59:59Z' }, 1],
    ['has an hour left by the clock', { expires_at: '2026-01-01T01:00:00Z' }, 1],
    ['has the first time that its server knows', { expires_in: 0, expires_at: '0001-01-01T00:00:00Z' }, 1],
    ['has no time that can be read', { expires_at: 'soon' }, 1],
  ])('that %s is asked for the right number of times', async (_, more, times) => {
    const tried = await tryDownload({ batch: [lasting(more)], object: [bytes(WEIGHTS)] });

    expect(tried.text).toBe(WEIGHTS);
    expect(tried.paths.filter(path => path === 'batch')).toHaveLength(times);
  });

  it.each([401, 403])('and is answered with %i is asked for once more', async code => {
    const tried = await tryDownload({ object: [status(code), bytes(WEIGHTS)] });

    expect(tried).toMatchObject({ text: WEIGHTS, paths: ['batch', 'object', 'batch', 'object'] });
  });

  it('is asked for once more and not for ever', async () => {
    const tried = await tryDownload({ object: [status(403)] });

    expect(tried).toMatchObject({ code: 'E_LFS_OBJECT', paths: ['batch', 'object', 'batch', 'object'] });
  });
});

describe('a transfer that is gone on with', () => {
  it('asks for the rest of what is here', async () => {
    const rest = bytes(WEIGHTS.slice(8), { 'content-range': 'bytes 8-17/18' }, 206);

    const tried = await tryDownload({ object: [rest] }, { beginning: 8 });

    expect(tried).toMatchObject({ text: WEIGHTS.slice(8), ranges: [undefined, 'bytes=8-'] });
  });

  it('passes by what is here when the server sends all of it', async () => {
    const tried = await tryDownload({ object: [bytes(WEIGHTS)] }, { beginning: 8 });

    expect(tried.text).toBe(WEIGHTS.slice(8));
  });

  it('asks for all of it when the server refuses the range', async () => {
    const tried = await tryDownload({ object: [status(416), bytes(WEIGHTS)] }, { beginning: 8 });

    expect(tried).toMatchObject({ text: WEIGHTS.slice(8), ranges: [undefined, 'bytes=8-', undefined] });
  });

  it('goes on for as long as each attempt brings something worth it', async () => {
    const large = Buffer.alloc(10 * 2 ** 20, 'x');
    const object = objectOf(large);
    await using server = await scriptedServer({
      object: [
        (response, { headers }) => {
          const from = Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);
          response.writeHead(from === 0 ? 200 : 206, {
            'content-range': `bytes ${from}-${large.length - 1}/${large.length}`,
            'content-length': large.length - from,
          });
          response.write(large.subarray(from, from + 1_100_000), () =>
            setImmediate(() => response.destroy()),
          );
        },
      ],
    });
    let received = 0;

    await lfsClient({ url: server.url, clock: quickClock() }).download(
      object,
      async chunk => {
        received += chunk.length;
      },
      never,
    );

    expect(received).toBe(large.length);
    expect(server.heard.length).toBeGreaterThan(8);
  });

  it('is given up where it only drips', async () => {
    const tried = await tryDownload(
      {
        object: [
          response => {
            response.writeHead(200, { 'content-length': OBJECT.sizeBytes });
            const timer = setInterval(() => response.write('x'), 20);
            response.on('close', () => clearInterval(timer));
          },
        ],
      },
      { stall: { silenceMs: 2_000, floorBytesPerSecond: 1000, windowMs: 60 } },
    );

    expect(tried).toMatchObject({
      code: 'E_LFS_UNREACHABLE',
      message: expect.stringContaining('fewer than 1000'),
    });
  });

  it('is not thrown off by a line that was silent first', async () => {
    const tried = await tryDownload(
      {
        object: [
          partly('weights ', 'silence', OBJECT),
          bytes(WEIGHTS.slice(8), { 'content-range': 'bytes 8-17/18' }, 206),
        ],
      },
      { stall: { silenceMs: 500 } },
    );

    expect(tried.text).toBe(WEIGHTS);
  });
});

describe('an upload', () => {
  async function tryUpload(
    script: Script,
    content: Buffer,
    object: LfsObject = OBJECT,
  ): Promise<{ code: string | undefined; message: string; heard: string[]; progress: TransferProgress[] }> {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'model.onnx');
    await writeFile(file, content);
    await using server = await scriptedServer(script);
    const progress: TransferProgress[] = [];
    const client = lfsClient({
      url: server.url,
      clock: quickClock(),
      onProgress: told => progress.push(told),
    });
    const outcome = await client.upload([{ ...object, file }], never).then(
      () => ({ code: undefined, message: '' }),
      error => ({ code: error.code, message: String(error.message) }),
    );
    return {
      ...outcome,
      progress,
      heard: server.heard.map(({ method, body }) => `${method} ${body.length}`),
    };
  }

  it('says how far it is', async () => {
    const large = Buffer.alloc(1_000_000, 'x');
    const object = objectOf(large);

    const tried = await tryUpload({ object: [status(200)] }, large, object);

    const common = { operation: 'upload', digest: object.digest, totalBytes: 1_000_000 };
    expect(tried.progress).toEqual([
      { ...common, bytes: 262_144 },
      { ...common, bytes: 1_000_000 },
    ]);
  });

  it('never sends the end of a file that holds other bytes of the same size', async () => {
    const large = Buffer.alloc(1_000_000, 'x');
    const object = objectOf(Buffer.alloc(1_000_000, 'y'));

    const tried = await tryUpload({ object: [status(200)] }, large, object);

    expect(tried).toMatchObject({
      code: 'E_LFS_DIGEST',
      message: expect.stringContaining('register it again'),
    });
    expect(tried.heard.every(call => !call.includes('1000000'))).toBe(true);
  });

  it.each([
    ['is redirected', 307, 'E_LFS_UNREACHABLE', /final one/],
    ['finds no room', 507, 'E_LFS_OBJECT', /no room/],
    ['is over the bandwidth', 509, 'E_LFS_OBJECT', /bandwidth/],
    ['is refused', 422, 'E_LFS_OBJECT', /refuses the object \(422\)/],
  ])('that %s says so at once', async (_, code, expected, words) => {
    const tried = await tryUpload(
      { object: [status(code, { location: '/elsewhere' })] },
      Buffer.from(WEIGHTS),
    );

    expect(tried).toMatchObject({ code: expected, message: expect.stringMatching(words) });
    expect(tried.heard).toHaveLength(2);
  });

  it('asks once more for an address that has ended', async () => {
    const tried = await tryUpload(
      { batch: [named(), named()], object: [status(403), status(200)] },
      Buffer.from(WEIGHTS),
    );

    expect(tried.code).toBeUndefined();
    expect(tried.heard.filter(call => call.startsWith('PUT'))).toHaveLength(2);
  });
});
