import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { events } from '../events.ts';
import { NoController, openManagement } from './management.ts';

let folder: string;
let server: Server;
let answers: { status: number; body: string }[];
let asked: { url: string; authorization: string | undefined }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-api-'));
  server = createServer(({ url = '', headers }, response) => {
    asked.push({ url, authorization: headers.authorization });
    const { status, body } = answers.shift() ?? { status: 404, body: '{}' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(join(folder, 'operator-token'), 'sbo_secret\n');
  await writeFile(
    join(folder, 'controller.json'),
    JSON.stringify({ address, pid: 1, repository: '/r', branch: 'main', root: '', startedAt: 1 }),
  );
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  answers = [];
  asked = [];
});

const get = () => openManagement(folder).get('/status', z.object({ ok: z.boolean() }));

describe('the management API', () => {
  it("is asked with the operator's token", async () => {
    answers.push({ status: 200, body: '{"ok":true}' });

    expect(await get()).toEqual({ ok: true });
    expect(asked).toEqual([{ url: '/api/v1alpha1/status', authorization: 'Bearer sbo_secret' }]);
  });

  it('speaks in its own words and codes when it refuses', async () => {
    answers.push({
      status: 409,
      body: '{"code":"E_NO_LAST_GOOD","detail":"There is nothing to go back to."}',
    });

    await expect(get()).rejects.toMatchObject({
      code: 'E_NO_LAST_GOOD',
      message: 'There is nothing to go back to.',
    });
  });

  it('is not believed when it answers in another form', async () => {
    answers.push({ status: 200, body: '{"ok":"yes"}' }, { status: 500, body: '<html>' });

    await expect(get()).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringContaining('version'),
    });
    await expect(get()).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringContaining('500'),
    });
  });

  it('is told apart from a controller that never started, or has gone', async () => {
    expect(() => openManagement(join(folder, 'nowhere'))).toThrow(NoController);
    const gone = join(folder, 'gone');
    await import('node:fs/promises').then(({ mkdir }) => mkdir(gone));
    await writeFile(join(gone, 'operator-token'), 'x');
    await writeFile(
      join(gone, 'controller.json'),
      '{"address":"http://127.0.0.1:1","pid":1,"repository":"/r","branch":"main","root":"","startedAt":1}',
    );

    await expect(openManagement(gone).get('/status', z.any())).rejects.toThrow(
      /does not answer.*switchback up/,
    );
  });

  it('gives events page by page, and follows until it is told to stop', async () => {
    const event = (seq: number) => ({
      seq,
      at: 1,
      type: 'commit.seen',
      subject: 'controller',
      actor: 'controller',
      data: {},
    });
    const page = (...seqs: number[]) => ({
      status: 200,
      body: JSON.stringify({ items: seqs.map(event), last: 0 }),
    });
    answers.push(page(1, 2), page(), page(3));
    const leaving = new AbortController();
    const seen: number[] = [];

    for await (const { seq } of events({ state: folder, follow: true, signal: leaving.signal })) {
      seen.push(seq);
      if (seq === 3) leaving.abort();
    }

    expect(seen).toEqual([1, 2, 3]);
    expect(asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('after'))).toEqual([
      '0',
      '2',
      '2',
    ]);
  });
});
