import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { controllerWith, isReady, type RuntimeProcess, startProcess } from '../main.fixture.ts';
import { BYTES, eventually, KEY, ratioBody, ratioVersion } from '../serving.fixture.ts';
import {
  type GatewayFixture,
  INFER,
  listFile,
  listOf,
  standing,
  startGatewayFixture,
} from './gateway.fixture.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runtimes as processes, all of them answering, and a gateway before them. */
async function serving(count: number): Promise<{ runtimes: RuntimeProcess[]; addresses: string[] }> {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx() });
  const controller = await controllerWith([backend], objects);
  const runtimes = await Promise.all(Array.from({ length: count }, () => startProcess(controller.address)));
  for (const { address } of runtimes) await eventually(() => isReady(address), 'readiness');
  return { runtimes, addresses: runtimes.map(({ address }) => address) };
}

interface Load {
  statuses: (number | string)[];
  stop(): Promise<void>;
}

/** Callers that ask again as soon as they are answered, each by a kept connection. */
function startLoad(address: string, callers: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const statuses: Load['statuses'] = [];
  let isOver = false;
  const call = async (): Promise<void> => {
    while (!isOver) statuses.push(await askOnce(agent, address));
  };
  const calling = Promise.all(Array.from({ length: callers }, call));
  const stop = async (): Promise<void> => {
    isOver = true;
    await calling;
    agent.destroy();
  };
  onTestFinished(stop);
  return { statuses, stop };
}

/** The status, or the code of what went wrong. */
function askOnce(agent: Agent, address: string): Promise<number | string> {
  const body = ratioBody([6], [3]);
  const headers = { authorization: `Bearer ${KEY}`, 'content-length': body.length };
  return new Promise(resolve => {
    const asked = request(address + INFER, { agent, method: 'POST', headers }, answer => {
      answer.resume().once('end', () => resolve(answer.statusCode!));
    });
    asked.once('error', (error: NodeJS.ErrnoException) => setTimeout(resolve, 2, error.code ?? 'error'));
    asked.end(body);
  });
}

const afterMore = ({ statuses }: Load, count: number): Promise<unknown> => {
  const from = statuses.length;
  return eventually(() => statuses.length >= from + count, `${count} more answers`);
};

const failed = ({ statuses }: Load): unknown[] => statuses.filter(status => status !== 200);

test('of two runtimes one is killed under kept load, and no request fails', async () => {
  const { runtimes, addresses } = await serving(2);
  const gateway: GatewayFixture = await startGatewayFixture(addresses);
  await standing(gateway, 'ready', 2);
  const load = startLoad(gateway.address, 6);
  await afterMore(load, 200);

  runtimes[1]!.child.kill('SIGKILL');
  await runtimes[1]!.exit;
  await afterMore(load, 400);
  await standing(gateway, 'silent', 1);
  await afterMore(load, 200);

  await load.stop();
  expect(failed(load)).toEqual([]);
});

test('a runtime that hangs is found out within a few seconds, and what it was given is answered by others', async () => {
  const { runtimes, addresses } = await serving(2);
  const gateway = await startGatewayFixture(addresses);
  await standing(gateway, 'ready', 2);
  const load = startLoad(gateway.address, 8);
  await afterMore(load, 100);
  const hung = runtimes[0]!.child;

  hung.kill('SIGSTOP');
  await standing(gateway, 'silent', 1);
  await afterMore(load, 200);
  await load.stop();
  expect(failed(load)).toEqual([]);

  hung.kill('SIGCONT');
  await standing(gateway, 'ready', 2);
});

test('a gateway that is told to stop answers what it has and then ends', async () => {
  const { addresses } = await serving(1);
  const args = [MAIN, '--runtimes', await listFile(listOf(addresses)), '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<number | null>(resolve => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const logs: { msg: string; address?: string }[] = [];
  createInterface(child.stdout).on('line', line => logs.push(JSON.parse(line)));
  const { address } = await eventually(
    () => logs.find(({ msg }) => msg === 'gateway is listening'),
    'listening',
  );
  await eventually(async () => (await fetch(`${address}/readyz`)).status === 200, 'readiness');
  const load = startLoad(address!, 8);
  await afterMore(load, 100);

  child.kill('SIGTERM');

  expect(await exit).toBe(0);
  await load.stop();
  // Nobody listens any more; whoever was let in was answered.
  expect(new Set(failed(load))).toEqual(new Set(['ECONNREFUSED']));
});
