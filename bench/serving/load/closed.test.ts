import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closedLoad, wrkTrouble } from './closed.ts';

test.skipIf(wrkTrouble() !== null)('wrk sends any bytes in turn, and counts what was refused', async () => {
  const bodies = [Buffer.from('plain "text" \\ and ]]'), Buffer.from([0, 10, 13, 34, 92, 255, 49, 50])];
  const seen = new Set<string>();
  let refused = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.add(`${request.method} ${request.headers['x-of']} ${body.toString('hex')}`);
      const isRefused = body.equals(bodies[1]!);
      if (isRefused) refused += 1;
      response.writeHead(isRefused ? 400 : 200).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const scratch = await mkdtemp(join(tmpdir(), 'switchback-wrk-'));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    await rm(scratch, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/infer`;
  const messages = bodies.map((body, index) => ({ headers: { 'x-of': `number "${index}"` }, body }));

  const options = { connections: 2, forMs: 1000, scratch, signal: AbortSignal.timeout(30_000) };
  const result = await closedLoad({ url, messages, read: () => [] }, options);

  expect([...seen].toSorted()).toEqual(
    bodies.map((body, index) => `POST number "${index}" ${body.toString('hex')}`),
  );
  expect(result.requests).toBeGreaterThan(0);
  expect(result.perSecond).toBeGreaterThan(0);
  expect(result.broken).toBe(0);
  // Both count; one may have seen the last that the other has not.
  expect(Math.abs(result.refused - refused)).toBeLessThanOrEqual(4);
});
