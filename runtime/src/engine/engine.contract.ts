import { afterEach, describe, expect, test } from 'vitest';
import type { Engine, StartEngine } from './engine.ts';
import type { Tensors } from './tensor.ts';

export interface EngineUnderTest {
  start: StartEngine;
  /** Files: `ratio` divides numerator by denominator and never comes back above a million; `broken` is no model. */
  files: { ratio: string; broken: string };
}

const LOAD = { memoryBytes: 512 * 2 ** 20, timeoutMs: 20_000 };
const RUN_MS = 20_000;

/** What every engine must do, whatever is inside. */
export function engineContract(name: string, make: () => Promise<EngineUnderTest>): void {
  describe(`engine contract: ${name}`, () => {
    const engines: Engine[] = [];
    afterEach(async () => {
      await Promise.all(engines.splice(0).map(engine => engine[Symbol.asyncDispose]()));
    });

    async function loaded(): Promise<Engine> {
      const { start, files } = await make();
      const engine = await start(AbortSignal.timeout(20_000));
      engines.push(engine);
      await engine.load({ path: files.ratio, ...LOAD });
      return engine;
    }

    test('says what the graph takes and gives once it is loaded', async () => {
      const { start, files } = await make();
      const engine = await start(AbortSignal.timeout(20_000));
      engines.push(engine);

      const signature = await engine.load({ path: files.ratio, ...LOAD });

      expect(signature).toEqual({
        inputs: {
          numerator: { datatype: 'FP32', shape: [-1, 1] },
          denominator: { datatype: 'FP32', shape: [-1, 1] },
        },
        outputs: { ratio: { datatype: 'FP32', shape: [-1, 1] } },
      });
    });

    test('is started also where nobody waits for it, and where somebody begins to', async () => {
      const { start } = await make();
      const awaited = Promise.withResolvers<void>();
      const starting = [Promise.withResolvers<void>().promise, awaited.promise].map(async wanted =>
        engines.push(await start(AbortSignal.timeout(20_000), wanted)),
      );

      awaited.resolve();

      await Promise.all(starting);
      expect(engines).toHaveLength(2);
    });

    test('answers a batch row by row, infinities and NaN as they are', async () => {
      const engine = await loaded();

      const outputs = await engine.infer(rows([6, 0, 1], [3, 0, 0]), RUN_MS);

      expect(outputs.get('ratio')).toEqual({
        datatype: 'FP32',
        shape: [3, 1],
        data: Float32Array.of(2, Number.NaN, Number.POSITIVE_INFINITY),
      });
    });

    test('answers batches that were handed over together, in their order', async () => {
      const engine = await loaded();

      const answers = await Promise.all([1, 2, 3, 4].map(n => engine.infer(rows([n * n], [n]), RUN_MS)));

      expect(answers.map(outputs => outputs.get('ratio')?.data[0])).toEqual([1, 2, 3, 4]);
    });

    test('refuses a file that holds no model, and stays alive', async () => {
      const { start, files } = await make();
      const engine = await start(AbortSignal.timeout(20_000));
      engines.push(engine);

      await expect(engine.load({ path: files.broken, ...LOAD })).rejects.toMatchObject({
        code: 'E_MODEL_LOAD',
      });

      await expect(engine.infer(rows([1], [1]), RUN_MS)).rejects.toMatchObject({ code: 'E_INTERNAL' });
    });

    test('does not run while it is blank', async () => {
      const { start } = await make();
      const engine = await start(AbortSignal.timeout(20_000));
      engines.push(engine);

      await expect(engine.infer(rows([1], [1]), RUN_MS)).rejects.toMatchObject({ code: 'E_INTERNAL' });
    });

    test('fails rows that the graph can not take, and answers the next', async () => {
      const engine = await loaded();
      const onlyOne: Tensors = new Map([['numerator', rows([1], [1]).get('numerator')!]]);

      await expect(engine.infer(onlyOne, RUN_MS)).rejects.toMatchObject({ code: 'E_INTERNAL' });

      await expect(engine.infer(rows([8], [2]), RUN_MS)).resolves.toBeDefined();
    });

    test('is killed when a run takes too long, and what waited behind it fails as well', async () => {
      const engine = await loaded();

      const hung = engine.infer(rows([2e6], [1]), 100);
      const behind = engine.infer(rows([1], [1]), RUN_MS);

      await expect(hung).rejects.toMatchObject({ code: 'E_ENGINE_TIMEOUT' });
      await expect(behind).rejects.toMatchObject({ code: 'E_ENGINE_DIED' });
      await expect(engine.gone).resolves.toEqual({ cause: 'late', reason: 'it took longer than 100 ms' });
    });

    test('is gone once disposed, with whatever was aboard', async () => {
      const engine = await loaded();
      const aboard = engine.infer(rows([2e6], [1]), RUN_MS);
      const refused = expect(aboard).rejects.toMatchObject({ code: 'E_ENGINE_DIED' });

      await engine[Symbol.asyncDispose]();

      await refused;
      await expect(engine.gone).resolves.toEqual({ cause: 'stopped', reason: 'it was stopped' });
      await expect(engine.infer(rows([1], [1]), RUN_MS)).rejects.toMatchObject({ code: 'E_ENGINE_DIED' });
    });

    test('says what memory it holds, or that this is not known, and knows of none once it is gone', async () => {
      const engine = await loaded();

      const held = await engine.residentBytes();
      await engine[Symbol.asyncDispose]();

      expect(held === null || held > 2 ** 20).toBe(true);
      expect(await engine.residentBytes()).toBeNull();
    });

    test('does not start for a signal that is already aborted', async () => {
      const { start } = await make();

      await expect(start(AbortSignal.abort())).rejects.toThrow();
    });
  });
}

export function rows(numerators: readonly number[], denominators: readonly number[]): Tensors {
  const column = (values: readonly number[]) =>
    ({ datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) }) as const;
  return new Map([
    ['numerator', column(numerators)],
    ['denominator', column(denominators)],
  ]);
}
