import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { kinds, NEVER, PROD, running, start, until } from '../actuation.contract.ts';
import { runs, standIns } from './stand-ins.fixture.ts';
import { killProcess, startTimeOf } from './system-process.ts';

const CONTROLLER = fileURLToPath(new URL('./short-lived-controller.fixture.ts', import.meta.url));

const { actuating, options, record, forge } = standIns();

describe('what an earlier life of the controller left behind', () => {
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

  test('stops a runtime whose controller died before it could write down the pid, also one that does not listen yet', async () => {
    const before = actuating();
    await start(before, PROD);
    const { pid } = await runs(before, PROD);
    await before[Symbol.asyncDispose]();
    const { process, ...ports } = record(PROD);
    onTestFinished(async () => void (await killProcess(process!.identity!, systemClock)));
    forge(PROD, { ...ports, process: { ...process!, identity: null, instanceId: null } });
    let asked = 0;
    const late: typeof fetch = (input, init) =>
      ++asked > 4 ? fetch(input, init) : Promise.reject(new TypeError('fetch failed'));

    const after = actuating({ fetch: late });
    await after.stopAll(NEVER);

    expect(await startTimeOf(pid!)).toBeNull();
  });

  test('takes one that was about to be spawned and never listens for gone, when it has to be stopped', async () => {
    const before = actuating();
    await start(before, PROD);
    await runs(before, PROD);
    const { process, ...ports } = record(PROD);
    await before.stopAll(NEVER);
    await before[Symbol.asyncDispose]();
    forge(PROD, { ...ports, process: { ...process!, identity: null, instanceId: null } });

    const after = actuating();
    await after.stopAll(NEVER);

    expect(after.observe().runtimes).toEqual([]);
    expect(after.changes()).toMatchObject([{ kind: 'stopped', pid: null }]);
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
});
