import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import type { Backend } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import {
  ask,
  controllerWith,
  isReady,
  observe,
  type RuntimeProcess,
  type RuntimeProcessOptions,
  startProcess,
} from './main.fixture.ts';
import { BYTES, eventually, KEY, ratioBody, ratioVersion } from './serving.fixture.ts';

const ONE = ratioBody([6], [3]);

/** A runtime process that answers, with what it serves. */
async function serving(
  options: RuntimeProcessOptions = {},
  limits: Partial<Backend['limits']> = {},
): Promise<RuntimeProcess> {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx(), limits });
  const controller = await controllerWith([backend], objects);
  const runtime = await startProcess(controller.address, options);
  await eventually(() => isReady(runtime.address), 'readiness');
  return runtime;
}

const pidOf = async ({ address }: RuntimeProcess): Promise<number> =>
  (await observe(address)).loaded[0]!.pid!;

const metric = async ({ address }: RuntimeProcess, line: string): Promise<boolean> =>
  (await (await fetch(`${address}/metrics`)).text()).includes(line);

test('F57: a blocked event loop is told while it lasts, and no engine is blamed for it', async () => {
  const runtime = await serving({ fault: 'block' }, { timeoutMs: 1000 });
  const pid = await pidOf(runtime);
  const asked = Array.from({ length: 4 }, () => ask(runtime.address, ONE));

  runtime.child.kill('SIGUSR2');

  const blocked = await eventually(
    () => runtime.logs.find(({ msg }) => msg === 'event loop is blocked'),
    'the word of it',
  );
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const moved = await eventually(
    () => runtime.logs.find(({ msg }) => msg === 'event loop moves again'),
    'the end',
  );
  expect(timeOf(moved) - timeOf(blocked)).toBeGreaterThan(500);
  expect(await pidOf(runtime)).toBe(pid);
});

test('F58: a rejection that nobody awaits is told and counted, and serving goes on', async () => {
  const runtime = await serving({ fault: 'rejection' });

  runtime.child.kill('SIGUSR2');

  const told = await eventually(
    () => runtime.logs.find(({ msg }) => msg === 'unexpected failure outside of any request'),
    'the word of it',
  );
  expect(told).toMatchObject({ kind: 'rejection', reason: 'nobody waits for this' });
  expect((await ask(runtime.address, ONE)).status).toBe(200);
  expect(await metric(runtime, 'switchback_unexpected_failures_total{kind="rejection"} 1')).toBe(true);
});

test('F58: after an exception that nobody caught a runtime answers what it has and ends, to be started anew', async () => {
  const runtime = await serving({ fault: 'exception' }, { timeoutMs: 1000 });
  const aboard = ask(runtime.address, ratioBody([2e6], [1]));
  await eventually(async () => (await busyTicks(await pidOf(runtime))) > 5, 'a request aboard');

  runtime.child.kill('SIGUSR2');

  expect((await aboard).status).toBe(504);
  expect(await runtime.exit).toBe(1);
  expect(runtime.logs.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['unexpected failure outside of any request', 'runtime has stopped']),
  );
});

test.skipIf(process.platform !== 'linux')(
  'F48: without descriptors left a runtime sheds what is new, and recovers, its engine included',
  async () => {
    const runtime = await serving({ mostFiles: 64 });
    const pid = await pidOf(runtime);
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    onTestFinished(() => agent.destroy());

    const outcomes = await Promise.all(Array.from({ length: 120 }, () => askBy(agent, runtime.address)));
    const answered = outcomes.filter(status => status === 200).length;
    expect(answered).toBeGreaterThan(0);
    expect(outcomes.filter(status => status === null).length).toBeGreaterThan(0);
    expect(answered + outcomes.filter(status => status === null).length).toBe(120);

    // While no descriptor is left for another one, and every connection is held open.
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => runtime.logs.find(({ msg }) => /engine/.test(msg) && /replaced|started/.test(msg)),
      'the loss of the engine',
    );
    agent.destroy();

    await eventually(
      async () => (await ask(runtime.address, ONE).catch(() => null))?.status === 200,
      'recovery',
    );
    const { loaded } = await observe(runtime.address);
    expect(loaded[0]).toMatchObject({ state: 'ready' });
    expect(loaded[0]!.pid).not.toBe(pid);
    expect(runtime.child.exitCode).toBeNull();
  },
);

function timeOf(line: { [field: string]: unknown }): number {
  return Date.parse(String(line['time']));
}

/** The status, or null when the connection was not taken; the connection stays open. */
function askBy(agent: Agent, address: string): Promise<number | null> {
  return new Promise(resolve => {
    const asked = request(
      `${address}/v2/models/ratio/infer`,
      { agent, method: 'POST', headers: { authorization: `Bearer ${KEY}` } },
      response => {
        response.resume().once('end', () => resolve(response.statusCode ?? null));
      },
    );
    asked.once('error', () => resolve(null));
    asked.end(ONE);
  });
}

/** Ticks that a process has spent computing: a hanging graph burns them. */
async function busyTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.split(' ')[13] ?? 0);
}
