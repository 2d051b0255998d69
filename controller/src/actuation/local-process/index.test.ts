import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { actuationContract, DEV, NEVER, PROD, publish, snapshot, start } from '../actuation.contract.ts';
import { localProcessActuation } from './index.ts';
import { runs, standIns } from './stand-ins.fixture.ts';

const place = standIns();
const { actuating, options, record } = place;

actuationContract('local process', async () => actuating());

describe('local process actuation', () => {
  test('moves to another port when its own was taken, and says so', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before.stopAll(NEVER);
    const port = Number(new URL(first.address).port);
    const foreign = createServer().listen(port, '127.0.0.1');
    await once(foreign, 'listening');

    await start(before, PROD);
    const second = await runs(before, PROD);
    foreign.close();

    expect(second.address).not.toBe(first.address);
    expect(before.changes().at(-1)?.reason).toContain(`port ${port} was taken by another program`);
    expect(record(PROD).port).toBe(Number(new URL(second.address).port));
  });

  test('gives every environment its own port from the base on, and keeps it for life', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    const basePort = typeof address === 'object' && address !== null ? address.port : 0;
    const actuation = actuating({ basePort });

    await Promise.all([start(actuation, DEV), start(actuation, PROD)]);
    const ports = [await runs(actuation, DEV), await runs(actuation, PROD)].map(
      each => new URL(each.address).port,
    );
    await actuation.stopAll(NEVER);
    await start(actuation, PROD);
    const again = new URL((await runs(actuation, PROD)).address).port;
    probe.close();

    expect(ports.every(port => Number(port) > basePort)).toBe(true);
    expect(new Set(ports).size).toBe(2);
    expect(again).toBe(ports[1]);
  });

  test('serves what an earlier life published at once, and the newest of it', async () => {
    const before = actuating();
    await Promise.all(['a', 'b', 'c'].map(digit => publish(before, snapshot(PROD, digit))));
    await publish(before, snapshot(DEV, 'd'));
    await before.apply({ kind: 'stop-runtime', environment: DEV, reason: 'a test' }, NEVER);
    await before[Symbol.asyncDispose]();

    const after = actuating();

    expect(await after.snapshot(PROD, null, NEVER)).toEqual(snapshot(PROD, 'c'));
    expect([...after.observe().published.keys()]).toEqual([PROD]);
  });

  test('moves traffic although nothing can be kept on disk, and keeps nothing older then', async () => {
    const before = actuating();
    await publish(before, snapshot(PROD, 'a'));
    mkdirSync(join(place.folder, 'runtimes', PROD, 'published.json.new'));

    await publish(before, snapshot(PROD, 'b'));

    expect(await before.snapshot(PROD, null, NEVER)).toEqual(snapshot(PROD, 'b'));
    expect(existsSync(join(place.folder, 'runtimes', PROD, 'published.json'))).toBe(false);
  });

  test('begins anew where what it remembered can not be read', async () => {
    mkdirSync(join(place.folder, 'runtimes', PROD), { recursive: true });
    writeFileSync(join(place.folder, 'runtimes', PROD, 'process.json'), '{"port": 0');
    writeFileSync(join(place.folder, 'runtimes', PROD, 'published.json'), '');
    writeFileSync(join(place.folder, 'runtimes', 'Not A Name'), '');

    const actuation = actuating();
    expect(actuation.observe()).toEqual({ runtimes: [], targets: new Map(), published: new Map() });
    await start(actuation, PROD);

    expect(await runs(actuation, PROD)).toMatchObject({ state: 'running' });
  });

  test('hands no variable of the controller down, and appends what the runtime says to its log', async () => {
    process.env['SECRET_OF_THE_CONTROLLER'] = 'canary';
    const actuation = actuating();
    await start(actuation, PROD);
    await runs(actuation, PROD);
    delete process.env['SECRET_OF_THE_CONTROLLER'];
    await actuation.stopAll(NEVER);
    await start(actuation, PROD);
    await runs(actuation, PROD);

    const log = readFileSync(join(place.folder, 'runtimes', PROD, 'runtime.log'), 'utf8');

    expect(log.match(/secrets: none/g)).toHaveLength(2);
    expect(log).not.toContain('canary');
  });

  test('refuses to begin without the token of the runtimes', () => {
    expect(() => localProcessActuation({ ...options(), tokenFile: join(place.folder, 'none') })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining('can not be read') }),
    );
  });
});
