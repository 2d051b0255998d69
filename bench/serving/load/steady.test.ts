import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wrkTrouble } from './closed.ts';
import { shortcomingsOf, steadyLoad } from './steady.ts';

test.skipIf(wrkTrouble() !== null)(
  'the rest of a rate is sent by callers who think, and all count',
  async () => {
    let answered = 0;
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(answered++ % 10 === 0 ? 429 : 200).end());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const scratch = await mkdtemp(join(tmpdir(), 'switchback-wrk-'));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await rm(scratch, { recursive: true, force: true });
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/infer`;
    const dialect = { url, messages: [{ headers: {}, body: Buffer.from('{}') }], read: () => [] };

    const options = { perSecond: 1200, forMs: 1000, scratch, signal: AbortSignal.timeout(60_000) };
    const result = await steadyLoad(dialect, options);

    // Four callers with 20 ms to think, on whatever machine this is.
    expect(result.perSecond).toBeGreaterThan(1000);
    expect(result.perSecond).toBeLessThan(1210);
    expect(result.open.sent).toBe(1000);
    expect(result.open.turnedAway.count).toBeGreaterThan(0);
    expect(result.refused).toBeGreaterThan(0);
    expect(shortcomingsOf(result)).toBe(result.open.turnedAway.count + result.refused);
  },
);
