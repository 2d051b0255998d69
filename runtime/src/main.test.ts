import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ANSWERED_BY, Signature } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { startController } from './controller.fixture.ts';
import { ask, controllerWith, isAlive, isReady, MAIN, observe, startProcess } from './main.fixture.ts';
import { BYTES, eventually, ratioBody, ratioVersion, sha256, snapshotOf } from './serving.fixture.ts';

const EXAMPLE = new URL('../../examples/model-repo/models/screening/versions/1.0.0/', import.meta.url);

test('a runtime process serves a trained model from the controller, as its framework answers', async () => {
  const [model, golden] = await Promise.all(
    ['model.onnx', 'golden.json'].map(name => readFile(new URL(name, EXAMPLE))),
  );
  const tensor = { datatype: 'FP32' as const };
  const { backend } = ratioVersion({
    model: model!,
    signature: Signature.parse({
      inputs: { features: { ...tensor, shape: [-1, 30] } },
      outputs: { score: { ...tensor, shape: [-1, 1] } },
    }),
  });
  backend.artifacts['golden.json'] = {
    ...backend.artifacts['golden.json']!,
    sha256: sha256(golden!) as never,
    size: golden!.length,
  };
  await using controller = await startController();
  for (const bytes of [model!, golden!]) controller.objects.set(sha256(bytes), bytes);
  controller.publish(snapshotOf({ screening: [backend] }));
  const { address, child, exit } = await startProcess(controller.address);
  await eventually(() => isReady(address), 'readiness');
  const { inputs, outputs } = JSON.parse(golden!.toString());

  const response = await ask(
    address,
    JSON.stringify({ id: 'a', inputs: [{ name: 'features', ...inputs.features }] }),
    'screening',
  );

  expect(response.status).toBe(200);
  expect(response.headers.get(ANSWERED_BY.version)).toBe('1.0.0');
  expect(response.headers.get(ANSWERED_BY.revision)).toBe(backend.revision);
  const body = (await response.json()) as { id: string; outputs: { data: number[] }[] };
  expect(body).toMatchObject({ model_name: 'screening', model_version: '1.0.0', id: 'a' });
  for (const [index, score] of body.outputs[0]!.data.entries())
    expect(score).toBeCloseTo(outputs.score.data[index], 4);
  expect((await observe(address)).counts).toMatchObject([{ model: 'screening', attempts: 1, failures: 0 }]);

  child.kill('SIGTERM');
  await expect(exit).resolves.toBe(0);
});

test('a runtime starts from its disk alone when the controller is gone', async () => {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx() });
  const controller = await controllerWith([backend], objects);
  const first = await startProcess(controller.address);
  await eventually(() => isReady(first.address), 'readiness');
  first.child.kill('SIGTERM');
  await first.exit;
  await controller[Symbol.asyncDispose]();

  const second = await startProcess(controller.address, { stateDir: first.stateDir });
  await eventually(() => isReady(second.address), 'readiness without a controller');

  const response = await ask(second.address, ratioBody([6], [3]));
  expect(await response.json()).toMatchObject({ outputs: [{ data: [2] }] });
});

test.skipIf(process.platform !== 'linux').each([
  ['idle', false],
  ['hung in a run', true],
])('no engine outlives a runtime that is killed while its engine is %s', async (_, isHung) => {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx(), limits: { timeoutMs: 60_000 } });
  const controller = await controllerWith([backend], objects);
  const { address, child, exit } = await startProcess(controller.address);
  await eventually(() => isReady(address), 'readiness');
  const pid = (await observe(address)).loaded[0]!.pid!;
  const asked = isHung ? ask(address, ratioBody([2e6], [1])).catch(() => null) : null;
  const before = await ticksOf(pid);
  if (isHung) await eventually(async () => (await ticksOf(pid)) - before > 10, 'a hanging run');

  child.kill('SIGKILL');
  await exit;
  await asked;

  await eventually(async () => !(await isAlive(pid)), 'the end of the engine');
});

test('a runtime ends by itself when its state folder is removed', async () => {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx() });
  const controller = await controllerWith([backend], objects);
  const { address, stateDir, exit } = await startProcess(controller.address);
  await eventually(() => isReady(address), 'readiness');

  await rm(stateDir, { recursive: true, force: true });

  await expect(exit).resolves.toBe(0);
});

test.each([
  ['an unknown option', ['--environmint', 'prod'], 'E_USAGE'],
  ['a missing option', ['--environment', 'prod'], 'E_CONFIG'],
])('a runtime refuses %s and says why', async (_, args, code) => {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: { code: string }[] = [];
  createInterface(child.stdout!).on('line', line => lines.push(JSON.parse(line)));

  const status = await new Promise(resolve => child.once('close', resolve));

  expect(status).toBe(1);
  expect(lines.at(-1)).toMatchObject({ code });
});

/** Ticks that a process has spent on a processor: a hanging graph burns them, an idle engine doesn't. */
async function ticksOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[13]);
}
