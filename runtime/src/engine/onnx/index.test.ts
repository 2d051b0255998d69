import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineContract, rows } from '../engine.contract.ts';
import type { Tensors } from '../tensor.ts';
import { type Confinement, findConfinement } from './confinement.ts';
import { halfRatioModel, hungryModel, identityModel, lookupModel, ratioModel } from './graph.fixture.ts';
import { onnxEngines } from './index.ts';

let folder: string;
let confinement: Confinement;
beforeAll(async () => {
  confinement = await findConfinement();
  folder = await mkdtemp(join(tmpdir(), 'switchback-engine-'));
  await writeFile(join(folder, 'ratio.onnx'), ratioModel());
  await writeFile(join(folder, 'lookup.onnx'), lookupModel());
  await writeFile(join(folder, 'hungry.onnx'), hungryModel());
  await writeFile(join(folder, 'halves.onnx'), identityModel('FP16', ['rows', 256]));
  await writeFile(join(folder, 'half-ratio.onnx'), halfRatioModel());
  await writeFile(join(folder, 'broken.onnx'), 'not a model');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

engineContract('onnx', async () => ({
  start: onnxEngines(confinement),
  files: { ratio: join(folder, 'ratio.onnx'), broken: join(folder, 'broken.onnx') },
}));

describe('an engine process', () => {
  const load = { memoryBytes: 256 * 2 ** 20, timeoutMs: 20_000 };
  const start = () => onnxEngines(confinement)(AbortSignal.timeout(20_000));
  const counts = (name: string, values: number[]): Tensors =>
    new Map([
      [name, { datatype: 'INT64', shape: [values.length], data: BigInt64Array.from(values, BigInt) }],
    ]);

  test('that is killed from outside says so, and fails what was aboard', async () => {
    await using engine = await start();
    await engine.load({ path: join(folder, 'ratio.onnx'), ...load });
    const aboard = engine.infer(rows([2e6], [1]), 20_000);
    const refused = expect(aboard).rejects.toMatchObject({ code: 'E_ENGINE_DIED' });

    process.kill(engine.pid!, 'SIGKILL');

    await refused;
    await expect(engine.gone).resolves.toEqual({ cause: 'died', reason: 'it was ended by SIGKILL' });
  });

  test('keeps its program as it was compiled, and does without where that is damaged', async () => {
    const codeFolder = join(folder, 'code');
    const again = () => onnxEngines(confinement, codeFolder)(AbortSignal.timeout(20_000));
    await (await again())[Symbol.asyncDispose]();
    const kept = (await readdir(codeFolder, { recursive: true, withFileTypes: true })).filter(one =>
      one.isFile(),
    );

    for (const { parentPath, name } of kept) await writeFile(join(parentPath, name), 'damaged');
    await using engine = await again();
    await engine.load({ path: join(folder, 'ratio.onnx'), ...load });

    expect(kept.length).toBeGreaterThan(5);
    expect((await engine.infer(rows([6], [3]), 20_000)).get('ratio')?.data).toEqual(Float32Array.of(2));
  });

  test('that dies right before it is loaded is dead, and no want of the machine', async () => {
    await using engine = await start();

    process.kill(engine.pid!, 'SIGKILL');

    await expect(engine.load({ path: join(folder, 'ratio.onnx'), ...load })).rejects.toMatchObject({
      code: 'E_ENGINE_DIED',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  test.skipIf(process.platform !== 'linux')('that grows says so', async () => {
    await using engine = await start();
    await engine.load({ path: join(folder, 'hungry.onnx'), ...load });
    const before = await engine.residentBytes();

    await engine.infer(counts('count', [25 * 2 ** 20]), 20_000);

    expect((await engine.residentBytes())! - before!).toBeGreaterThan(50 * 2 ** 20);
  });

  test('answers that lie unread because this very process was held up are not late', async () => {
    await using engine = await start();
    await engine.load({ path: join(folder, 'ratio.onnx'), ...load });

    const answer = engine.infer(rows([6], [3]), 200);
    const until = performance.now() + 600;
    await new Promise(resolve => setImmediate(resolve));
    while (performance.now() < until);

    await expect(answer).resolves.toBeDefined();
  });

  test('refuses what its graph refuses, without a path of this machine or of the builder', async () => {
    await using engine = await start();
    await engine.load({ path: join(folder, 'lookup.onnx'), ...load });

    const refused = engine.infer(counts('index', [99]), 20_000);

    await expect(refused).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringMatching(/out of|bounds/),
    });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringMatching(/\/\w+\/|\.cc/) });
    const outputs = await engine.infer(counts('index', [3, 9]), 20_000);
    expect(outputs.get('value')?.data).toEqual(Float32Array.of(30, 90));
  });

  test('takes and gives every half there is, to the last bit', async () => {
    await using engine = await start();
    const bits = Uint16Array.from({ length: 2 ** 16 }, (_, index) => index);
    const x = { datatype: 'FP16', shape: [256, 256], data: new Float16Array(bits.buffer) } as const;

    const signature = await engine.load({ path: join(folder, 'halves.onnx'), ...load });
    const y = (await engine.infer(new Map([['x', x]]), 20_000)).get('y')!;

    const { buffer, byteOffset, length } = y.data as Float16Array;
    expect(signature.inputs).toEqual({ x: { datatype: 'FP16', shape: [-1, 256] } });
    expect(y).toMatchObject({ datatype: 'FP16', shape: [256, 256] });
    expect(y.data).toBeInstanceOf(Float16Array);
    expect(new Uint16Array(buffer, byteOffset, length)).toEqual(bits);
  });

  test('reckons in halves as a half is rounded, batch after batch', async () => {
    await using engine = await start();
    await engine.load({ path: join(folder, 'half-ratio.onnx'), ...load });
    const column = (...values: number[]) =>
      ({ datatype: 'FP16', shape: [values.length, 1], data: Float16Array.from(values) }) as const;
    const infer = (numerator: number[], denominator: number[]) =>
      engine.infer(
        new Map([
          ['numerator', column(...numerator)],
          ['denominator', column(...denominator)],
        ]),
        20_000,
      );

    const first = await infer([1, 6], [3, 4]);
    const second = await infer([60_000, 0, -1], [0.5, 0, 7]);

    expect(first.get('ratio')).toEqual(column(1 / 3, 1.5));
    expect(first.get('wide')?.data).toEqual(Float32Array.of(Math.f16round(1 / 3), 1.5));
    expect(second.get('ratio')).toEqual(column(Number.POSITIVE_INFINITY, Number.NaN, -1 / 7));
  });

  test('names no folder when it can not open a model', async () => {
    await using engine = await start();

    const refused = engine.load({ path: join(folder, 'absent.onnx'), ...load });

    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining(folder) });
  });

  test.skipIf(process.platform !== 'linux')('gets no more memory than its limit', async () => {
    expect(confinement.limitMemory).not.toBeNull();
    await using engine = await start();
    await engine.load({ path: join(folder, 'hungry.onnx'), ...load });

    await expect(engine.infer(counts('count', [1000]), 20_000)).resolves.toBeDefined();
    const tooMuch = engine.infer(counts('count', [2 ** 30]), 20_000);

    await expect(tooMuch).rejects.toMatchObject({ code: expect.stringMatching(/E_ENGINE_(MEMORY|DIED)/) });
  });
});
