import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EnvironmentName } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import {
  actuationContract,
  DEV,
  kinds,
  NEVER,
  PROD,
  publish,
  running,
  snapshot,
  start,
  until,
} from '../actuation.contract.ts';
import type { Actuation, ObservedRuntime } from '../actuation.ts';
import { localProcessActuation } from './index.ts';
import type { LocalProcessActuationOptions } from './options.ts';
import { ProcessRecord } from './process-record.ts';
import { endAll, standInOptions, temporaryFolder } from './stand-ins.fixture.ts';
import { startTimeOf } from './system-process.ts';

const CONTROLLER = fileURLToPath(new URL('./short-lived-controller.fixture.ts', import.meta.url));

let folder: string;
const opened: Actuation[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await endAll(opened, options());
  rmSync(folder, { recursive: true, force: true });
});

actuationContract('local process', async () => actuating());

describe('local process actuation', () => {
  test('adopts the runtime of an earlier life, keeps its address, and starts no second one', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before[Symbol.asyncDispose]();

    const after = actuating();
    await start(after, PROD);
    const second = await runs(after, PROD);

    expect(second).toEqual(first);
    expect(after.changes()).toEqual([
      { kind: 'adopted', environment: PROD, reason: expect.stringContaining(first.address), pid: first.pid },
    ]);
  });

  test('adopts without being asked, so that a plan can stop what git no longer names', async () => {
    const before = actuating();
    await start(before, PROD);
    const { pid } = await runs(before, PROD);
    await before[Symbol.asyncDispose]();

    const after = actuating();
    await runs(after, PROD);
    await after.apply({ kind: 'stop-runtime', environment: PROD, reason: 'is gone from git' }, NEVER);
    await until(after, ({ runtimes }) => runtimes.length === 0);

    expect(await startTimeOf(pid!)).toBeNull();
    expect(kinds(after.changes())).toEqual(['prod adopted', 'prod stopped']);
  });

  test('adopts the runtime of a controller that was killed', async () => {
    const plain = { ...options(), clock: undefined, log: undefined };
    const controller = spawn(process.execPath, [CONTROLLER, JSON.stringify(plain)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: controller.stdout }), 'line');
    controller.kill('SIGKILL');
    await once(controller, 'exit');

    const after = actuating();
    const adopted = await runs(after, PROD);

    expect(adopted).toEqual(JSON.parse(String(line)));
    expect(kinds(after.changes())).toEqual(['prod adopted']);
  });

  test('adopts a runtime whose controller died before it could write down the pid', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before[Symbol.asyncDispose]();
    const { process, ...ports } = record(PROD);
    forge(PROD, { ...ports, process: { ...process!, identity: null, instanceId: null } });

    const after = actuating();
    const second = await runs(after, PROD);

    expect(second).toEqual(first);
    expect(record(PROD).process?.identity?.pid).toBe(first.pid);
    expect(kinds(after.changes())).toEqual(['prod adopted']);
  });

  test('does not take a process for its own that only has the remembered pid', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before.stopAll(NEVER);
    await before[Symbol.asyncDispose]();
    const other = {
      ...{ identity: { pid: process.pid, startTime: 'another' }, instanceId: first.instanceId },
      startedWith: null,
    };
    forge(PROD, { port: record(PROD).port, process: { ...other, controllerUrl: options().controllerUrl } });

    const after = actuating();
    const second = await runs(after, PROD);

    expect(second.pid).not.toBe(process.pid);
    expect(second.address).toBe(first.address);
    expect(kinds(after.changes())).toEqual(['prod lost', 'prod started']);
  });

  test('replaces a runtime that asks a controller at another address', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before[Symbol.asyncDispose]();

    const after = actuating({ controllerUrl: 'http://127.0.0.1:9' });
    const second = await until(after, state => running(state).some(({ pid }) => pid !== first.pid));

    expect(running(second)[0]?.address).toBe(first.address);
    expect(await startTimeOf(first.pid!)).toBeNull();
    expect(after.changes()[0]?.reason).toContain(`controller at ${options().controllerUrl}`);
  });

  test('replaces a killed runtime at the same address, within a second of noticing', async () => {
    const actuation = actuating({ clock: systemClock });
    await start(actuation, PROD);
    const first = await runs(actuation, PROD);

    const began = performance.now();
    process.kill(first.pid!, 'SIGKILL');
    const state = await until(actuation, now => running(now).some(({ pid }) => pid !== first.pid));

    expect(performance.now() - began).toBeLessThan(5000);
    expect(running(state)[0]?.address).toBe(first.address);
    expect(running(state)[0]?.instanceId).not.toBe(first.instanceId);
    expect(actuation.changes()).toMatchObject([
      { kind: 'started' },
      { kind: 'lost', reason: 'it was ended by SIGKILL', pid: first.pid },
      { kind: 'started' },
    ]);
  });

  test('notices the end of an adopted runtime, which is nobody’s child here', async () => {
    const before = actuating();
    await start(before, PROD);
    const first = await runs(before, PROD);
    await before[Symbol.asyncDispose]();
    const after = actuating();
    await runs(after, PROD);

    process.kill(first.pid!, 'SIGKILL');
    await until(after, state => running(state).some(({ pid }) => pid !== first.pid));

    expect(kinds(after.changes())).toEqual(['prod adopted', 'prod lost', 'prod started']);
  });

  test('kills and replaces a hung runtime, while another is not disturbed', async () => {
    const actuation = actuating();
    await Promise.all([start(actuation, PROD), start(actuation, DEV)]);
    const [hung, other] = [await runs(actuation, PROD), await runs(actuation, DEV)];
    const states = new Set<string>();
    actuation.onChange(() => states.add(find(actuation, DEV)?.state ?? 'none'));

    process.kill(hung.pid!, 'SIGSTOP');
    await until(actuation, state => running(state).some(({ pid }) => ![hung.pid, other.pid].includes(pid)));

    expect(await startTimeOf(hung.pid!)).toBeNull();
    expect(find(actuation, PROD)?.address).toBe(hung.address);
    expect(find(actuation, DEV)).toEqual(other);
    expect([...states]).toEqual(['running']);
    expect(kinds(actuation.changes())).toEqual(['dev started', 'prod started', 'prod lost', 'prod started']);
  });

  test('waits longer with every crash, starts again once it can, and says what happened', async () => {
    const asked: number[] = [];
    const clock: Clock = {
      now: systemClock.now,
      sleep: (ms, signal) => {
        asked.push(ms);
        return systemClock.sleep(ms / 50, signal);
      },
    };
    mkdirSync(join(folder, 'runtimes', PROD), { recursive: true });
    writeFileSync(join(folder, 'runtimes', PROD, 'crash'), '');
    const actuation = actuating({ clock });

    await start(actuation, PROD);
    await until(actuation, () => asked.includes(4000));
    rmSync(join(folder, 'runtimes', PROD, 'crash'));
    await runs(actuation, PROD);

    const delays = asked.filter(ms => [250, 2000, 4000, 8000, 16_000].includes(ms));
    expect(delays.slice(0, 3)).toEqual([250, 2000, 4000]);
    const [first] = actuation.changes();
    expect(first).toMatchObject({ kind: 'lost', reason: 'it exited with 7', pid: expect.any(Number) });
  });

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

  test('leaves no process after all were stopped, not even a deaf or a hung one', async () => {
    const actuation = actuating();
    await Promise.all([start(actuation, PROD), start(actuation, DEV)]);
    const [deaf, hung] = [await runs(actuation, PROD), await runs(actuation, DEV)];
    writeFileSync(join(folder, 'runtimes', PROD, 'deaf'), '');
    process.kill(hung.pid!, 'SIGSTOP');

    await actuation.stopAll(NEVER);

    expect([await startTimeOf(deaf.pid!), await startTimeOf(hung.pid!)]).toEqual([null, null]);
    expect([record(PROD).process, record(DEV).process]).toEqual([null, null]);
    await using later = localProcessActuation(options());
    expect(later.observe().runtimes).toEqual([]);
  });

  test('does not wait out the grace of a deaf runtime when it has to hurry', async () => {
    const actuation = actuating({ clock: systemClock });
    await start(actuation, PROD);
    const deaf = await runs(actuation, PROD);
    writeFileSync(join(folder, 'runtimes', PROD, 'deaf'), '');

    const began = performance.now();
    await actuation.stopAll(AbortSignal.abort());

    expect(performance.now() - began).toBeLessThan(5000);
    expect(await startTimeOf(deaf.pid!)).toBeNull();
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
    mkdirSync(join(folder, 'runtimes', PROD, 'published.json.new'));

    await publish(before, snapshot(PROD, 'b'));

    expect(await before.snapshot(PROD, null, NEVER)).toEqual(snapshot(PROD, 'b'));
    expect(existsSync(join(folder, 'runtimes', PROD, 'published.json'))).toBe(false);
  });

  test('begins anew where what it remembered can not be read', async () => {
    mkdirSync(join(folder, 'runtimes', PROD), { recursive: true });
    writeFileSync(join(folder, 'runtimes', PROD, 'process.json'), '{"port": 0');
    writeFileSync(join(folder, 'runtimes', PROD, 'published.json'), '');
    writeFileSync(join(folder, 'runtimes', 'Not A Name'), '');

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

    const log = readFileSync(join(folder, 'runtimes', PROD, 'runtime.log'), 'utf8');

    expect(log.match(/secrets: none/g)).toHaveLength(2);
    expect(log).not.toContain('canary');
  });

  test('says what is wrong with a command that can not be run, and goes on trying', async () => {
    const actuation = actuating({ command: [join(folder, 'nothing-here')] });

    await start(actuation, PROD);
    await until(actuation, ({ runtimes }) => runtimes[0]?.state === 'lost');

    expect(actuation.changes()[0]?.reason).toContain('nothing-here can not be run');
  });

  test('refuses to begin without the token of the runtimes', () => {
    expect(() => localProcessActuation({ ...options(), tokenFile: join(folder, 'none') })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining('can not be read') }),
    );
  });
});

function options(): LocalProcessActuationOptions {
  return standInOptions(folder);
}

function actuating(changed: Partial<LocalProcessActuationOptions> = {}): Actuation {
  const actuation = localProcessActuation({ ...options(), ...changed });
  opened.push(actuation);
  return actuation;
}

async function runs(actuation: Actuation, environment: EnvironmentName): Promise<ObservedRuntime> {
  await until(actuation, () => find(actuation, environment)?.state === 'running');
  return find(actuation, environment)!;
}

function find(actuation: Actuation, environment: EnvironmentName): ObservedRuntime | undefined {
  return actuation.observe().runtimes.find(runtime => runtime.environment === environment);
}

function recordFile(environment: EnvironmentName): string {
  return join(folder, 'runtimes', environment, 'process.json');
}

function record(environment: EnvironmentName): ProcessRecord {
  return ProcessRecord.parse(JSON.parse(readFileSync(recordFile(environment), 'utf8')));
}

function forge(environment: EnvironmentName, forged: ProcessRecord): void {
  writeFileSync(recordFile(environment), JSON.stringify(forged));
}
